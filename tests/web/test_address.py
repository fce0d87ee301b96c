"""Another address, confirmed by the person from both: through the pages and a real mail server, by nobody else."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

import httpx
import pytest
from sqlalchemy import update

from activities.delivery.deliver import PostOffice
from activities.delivery.delivery_round import TRIES_ELSEWHERE
from activities.delivery.delivery_settings import PostOfficeRules
from activities.delivery.smtp import Relay, SmtpTransport
from activities.letters.fill_letters import LetterWriter
from activities.messages import DeliverInput, DeliverResult
from lifecycle.commands import Post
from lifecycle.delivery.holds import Standstill
from mail.compose import compose
from operations.bounces.bounces import take_in
from operations.people.correct import Details, correct
from operations.people.erase import erase
from runtime.settings import Settings
from store.people.address_changes import SIDES, Side, latest
from store.postbox import Address, letterbox_rule, post
from store.tables import (
    AddressChangeRow,
    CohortRow,
    ItemRow,
    MentorshipRow,
    ParticipantRow,
    RelayRow,
    SuppressionRow,
)
from testing.environments.web_env import BASE_URL, COHORT, SECRET, WebEnv, hidden, wants
from testing.servers.sink import ACCEPT, DROP, Received, Sink
from testing.servers.sink import running as running_sink
from tests.operations.test_bounces import report
from tests.web.test_place import ADAS, act, events, me, told

OLD, NEW = "ada@example.org", "ada@new.example.org"
FROM, BOUNCES = "mentoring@example.org", "bounces@mail.example.org"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
GONE = "rcpt 550 5.1.1 no such user"
SETTINGS = Settings(
    _env_file=None,  # pyright: ignore[reportCallIssue]
    secret=SECRET,  # pyright: ignore[reportArgumentType]
    mail_from=FROM,
    bounce_address=BOUNCES,
)


@dataclass
class PagesAndPost:
    """The pages, and a post office that brings what they put into postboxes to a mail server."""

    web_env: WebEnv
    client: httpx.AsyncClient
    sink: Sink
    office: PostOffice

    async def deliver(self, now: datetime | None = None) -> DeliverResult:
        """One round of the only postmaster."""
        return await self.office.deliver(DeliverInput(0, now or self.web_env.now))

    async def told_of(self, kind: str, name: str) -> None:
        """Something else goes into Ada's postbox."""
        web_env = self.web_env
        item = Post(f"{COHORT}/pair/{name}#1/ada/{kind}", "ada", kind, name, 1, web_env.now.date(), after_end=True)  # pyright: ignore[reportArgumentType]
        async with web_env.database.begin() as session:
            cohort = await session.get_one(CohortRow, COHORT)
            rule = letterbox_rule(cohort.letterbox, cohort.holidays)
            await post(session, Address(COHORT, "pair", web_env.now, rule, 1), [item], Standstill())

    async def says(self, change: str, side: Side, word: str = "yes") -> str:
        """Open the link that went to one of the two addresses and press a button; what the page then says."""
        path = f"/address/{self.web_env.links.address_token(change, side)}"
        page = await self.client.post(path, data={"say": word})
        assert page.url.path == path
        return words_on(page)

    async def ada(self) -> ParticipantRow:
        """Ada as the store has her."""
        async with self.web_env.database.session() as session:
            return await session.get_one(ParticipantRow, "ada")

    async def change(self, id_: str) -> AddressChangeRow:
        """A change as the store has it."""
        async with self.web_env.database.session() as session:
            return await session.get_one(AddressChangeRow, id_)


def words_on(page: httpx.Response) -> str:
    """What a page says, without its marks."""
    return " ".join(re.sub(r"<[^>]+>", " ", page.text.partition("<main")[2]).split())


def link_in(mail: Received) -> str:
    """The link to the question, as it stands in the mail."""
    [found] = set(re.findall(rf"{BASE_URL}(/address/\S+)", mail.text))
    return found


@pytest.fixture
async def sink() -> AsyncIterator[Sink]:
    """A real SMTP server that does what it is told."""
    async with running_sink() as sink:
        yield sink


@asynccontextmanager
async def opened(web_env: WebEnv, sink: Sink) -> AsyncIterator[PagesAndPost]:
    """A post office beside the pages."""
    transport = SmtpTransport(Relay("127.0.0.1", sink.port, "none", connections=2, timeout=5))
    rules = PostOfficeRules(FROM, BOUNCES, SECRET)
    office = PostOffice(web_env.database, transport, LetterWriter(web_env.links, FROM, secret=SECRET), compose, rules)
    async with web_env.client() as client:
        yield PagesAndPost(web_env, client, sink, office)
    await transport.close()


@pytest.fixture
async def pages_and_post_on_both(both: WebEnv, sink: Sink) -> AsyncIterator[PagesAndPost]:
    """On either database."""
    async with opened(both, sink) as pages_and_post_on_both:
        yield pages_and_post_on_both


@pytest.fixture
async def pages_and_post(web_env: WebEnv, sink: Sink) -> AsyncIterator[PagesAndPost]:
    """On SQLite."""
    async with opened(web_env, sink) as pages_and_post_on_both:
        yield pages_and_post_on_both


@pytest.mark.parametrize("order", [SIDES, SIDES[::-1]], ids=["old first", "new first"])
async def test_a_new_address_counts_once_both_have_confirmed_it(
    pages_and_post_on_both: PagesAndPost, order: tuple[Side, Side]
) -> None:
    web_env, client = pages_and_post_on_both.web_env, pages_and_post_on_both.client
    await pages_and_post_on_both.told_of("notice", "get_going")
    await pages_and_post_on_both.told_of("receipt", "safety_received")
    page = await act(client, f"{me(web_env)}/address", email=f" {NEW} ")
    assert page.url.path == me(web_env)
    assert "We have written to both addresses" in page.text
    waits = (
        f"{NEW}. It waits for your word from the old address and the new address, until the end of Sunday 11 April"
    )
    assert waits in words_on(page)
    assert len(told(web_env, "Seen")) == len(ADAS)
    assert web_env.woken == [0]

    # Each of the two in a mail of its own, and one of them to an address that nobody else's mail goes to.
    assert (await pages_and_post_on_both.deliver()).sent == 4
    mails = {"new": pages_and_post_on_both.sink.mails_to(NEW)[0]}
    subjects = {str(mail.message["Subject"]): mail for mail in pages_and_post_on_both.sink.mails_to(OLD)}
    mails["old"] = subjects["Is this you? Your mail is to go to another address"]
    assert (len(pages_and_post_on_both.sink.mails_to(NEW)), len(subjects)) == (1, 3)
    assert mails["new"].message["To"] == f"Ada Lindqvist <{NEW}>"
    assert mails["new"].message["Auto-Submitted"] == "auto-generated"
    assert mails["new"].message["List-Unsubscribe"] is None
    assert NEW in mails["old"].text
    # The reader of the new address has not shown yet who they are.
    assert not re.search("/me/|/stop/|/f/", mails["new"].raw.decode())
    assert "/me/" in mails["old"].text

    links = {side: link_in(mails[side]) for side in SIDES}
    before = await web_env.snapshot()
    for link in links.values():
        for _ in range(3):
            assert "It can be confirmed until the end of Sunday 11 April" in words_on(await client.get(link))
            assert (await client.head(link)).status_code == 200
    assert await web_env.snapshot() == before

    first, second = order
    assert f"Now only the {second} address is missing" in words_on(
        await client.post(links[first], data={"say": "yes"})
    )
    assert (await pages_and_post_on_both.ada()).email == OLD
    assert f"It waits for your word from the {second} address, until" in words_on(await client.get(me(web_env)))
    before = await web_env.snapshot()
    await client.post(links[first], data={"say": "yes"})
    await client.post(links[second], data={"say": "perhaps"})
    assert await web_env.snapshot() == before
    assert told(web_env, "Corrected") == []

    assert "Your mail goes to the new address" in words_on(await client.post(links[second], data={"say": "yes"}))
    ada = await pages_and_post_on_both.ada()
    assert (ada.email, ada.generation, ada.corrections) == (NEW, 2, 1)
    assert len(told(web_env, "Corrected")) == len(ADAS)
    after = await web_env.snapshot()
    for link in links.values():
        for word in ("yes", "no"):
            assert "Your mail goes to the new address" in words_on(await client.post(link, data={"say": word}))
    assert await web_env.snapshot() == after

    assert (await client.get(me(web_env))).status_code == 404
    assert NEW in (await client.get(me(web_env, generation=2))).text
    assert "@" not in json.dumps([row[3] for row in web_env.told])
    names = [name for _, name, _, _ in await events(web_env) if name != "dropped"]
    assert names == ["address_asked", *["address_confirmed"] * 2, *["details_corrected"] * len(ADAS)]


async def test_both_at_the_same_moment_are_one_correction(pages_and_post_on_both: PagesAndPost) -> None:
    change = await wants(pages_and_post_on_both.web_env, "ada", NEW)
    await asyncio.gather(*(pages_and_post_on_both.says(change, side) for side in SIDES for _ in range(2)))
    ada = await pages_and_post_on_both.ada()
    assert (ada.email, ada.generation) == (NEW, 2)
    assert [name for _, name, _, _ in await events(pages_and_post_on_both.web_env)].count("details_corrected") == len(
        ADAS
    )


@pytest.mark.parametrize("side", SIDES)
async def test_it_was_not_me_ends_it(pages_and_post: PagesAndPost, side: Side) -> None:
    web_env = pages_and_post.web_env
    change = await wants(web_env, "ada", NEW)
    other: Side = "new" if side == "old" else "old"
    await pages_and_post.says(change, other)
    assert "Nothing is changed" in await pages_and_post.says(change, side, "no")
    after = await web_env.snapshot()
    for each in SIDES:
        for word in ("yes", "no"):
            assert "Nothing is changed" in await pages_and_post.says(change, each, word)
    assert await web_env.snapshot() == after
    assert (await pages_and_post.ada()).email == OLD
    # The person who asked on her own page had her link: it opens nothing any more. A stranger can't take it from her.
    assert (await pages_and_post.client.get(me(web_env))).status_code == (404 if side == "old" else 200)
    # What has not gone out yet does not.
    assert (await pages_and_post.deliver()).sent == 0
    assert ("", "address_denied", side, "") in await events(web_env)
    # A stranger who has had a link of hers is for a coordinator to know of, once for every cohort.
    heard = [one["signals"] for one in told(web_env, "Answered")]
    wanted = [(True, "not_me")] if side == "old" else []
    assert [(one["help"], one["wish"]) for one in heard] == wanted
    assert ("A coordinator hears of it" in await pages_and_post.says(change, side)) is (side == "old")
    assert "link_misused" in [name for _, name, _, _ in await events(web_env)] or side == "new"


async def test_where_nothing_runs_nobody_is_said_to_hear_of_it(pages_and_post: PagesAndPost) -> None:
    web_env = pages_and_post.web_env
    change = await wants(web_env, "ada", NEW)
    async with web_env.database.begin() as session:
        await session.execute(update(MentorshipRow).values(state="over"))
    says = await pages_and_post.says(change, "old", "no")
    assert "please tell us by replying" in says
    assert told(web_env, "Answered") == []


@pytest.mark.parametrize("how", ["withdrawn", "overtaken", "corrected", "lapsed"])
async def test_what_does_not_count_any_more_can_not_be_confirmed(
    pages_and_post_on_both: PagesAndPost, how: str
) -> None:
    web_env, client = pages_and_post_on_both.web_env, pages_and_post_on_both.client
    change = await wants(web_env, "ada", NEW)
    await pages_and_post_on_both.says(change, "old")
    expected, generation = OLD, 1
    if how == "withdrawn":
        page = await client.post(f"{me(web_env)}/address/cancel")
        assert "Your address stays as it is" in page.text
        assert NEW not in page.text
        again = await web_env.snapshot()
        await client.post(f"{me(web_env)}/address/cancel")
        assert await web_env.snapshot() == again
    elif how == "overtaken":
        later = await wants(web_env, "ada", "ada@third.example.org")
        assert later != change
        expected = OLD
    elif how == "corrected":
        await correct(web_env.database, "ada", Details(email="ada@desk.example.org"), web_env.now, by="coco")
        expected, generation = "ada@desk.example.org", 2
    else:
        web_env.now += timedelta(days=7)
    headings = {"withdrawn": "Nothing is changed", "lapsed": "The time for this is over"}
    before = await web_env.snapshot()
    for side in SIDES:
        assert headings.get(how, "This question is out of date") in await pages_and_post_on_both.says(change, side)
    assert await web_env.snapshot() == before
    assert (await pages_and_post_on_both.ada()).email == expected
    if how == "lapsed":
        assert "It was not confirmed from both in time" in (await client.get(me(web_env, generation=generation))).text
    else:
        await pages_and_post_on_both.deliver()
        wanted = ["ada@third.example.org"] if how == "overtaken" else []
        assert [mail.recipient for mail in pages_and_post_on_both.sink.received if mail.recipient != OLD] == wanted


async def test_what_the_new_address_refuses_counts_for_nobody(pages_and_post_on_both: PagesAndPost) -> None:
    web_env = pages_and_post_on_both.web_env
    pages_and_post_on_both.sink.script(NEW, GONE)
    change = await wants(web_env, "ada", NEW)
    assert (await pages_and_post_on_both.deliver()).refused == 1
    assert ((await pages_and_post_on_both.change(change)).state, (await pages_and_post_on_both.ada()).standing) == (
        "refused",
        "active",
    )
    assert await web_env.count(SuppressionRow) == 0
    assert [row for row in await events(web_env) if row[1] == "address_refused"] == [
        ("", "address_refused", "permanent 550 5.1.1", "")
    ]
    assert told(web_env, "Bounced") == []
    assert "It refuses mail, so nothing was changed" in (await pages_and_post_on_both.client.get(me(web_env))).text
    assert "The new address refuses mail" in await pages_and_post_on_both.says(change, "old")
    # Nothing waits, and the next mail comes as ever.
    await pages_and_post_on_both.told_of("notice", "get_going")
    assert (await pages_and_post_on_both.deliver(web_env.now + HOUR)).sent == 1
    assert len(pages_and_post_on_both.sink.mails_to(OLD)) == 2
    assert await web_env.count(RelayRow) == 0


async def test_a_mail_to_the_new_address_that_comes_back_counts_for_nobody(
    pages_and_post_on_both: PagesAndPost,
) -> None:
    web_env = pages_and_post_on_both.web_env
    change = await wants(web_env, "ada", NEW)
    await pages_and_post_on_both.deliver()
    [mail] = pages_and_post_on_both.sink.mails_to(NEW)
    assert (await take_in(web_env.database, SETTINGS, report(mail.sender, who=NEW), web_env.now)).came == "elsewhere"
    assert (await take_in(web_env.database, SETTINGS, report(mail.sender, who=NEW), web_env.now)).came == "known"
    assert ((await pages_and_post_on_both.change(change)).state, (await pages_and_post_on_both.ada()).standing) == (
        "refused",
        "active",
    )
    # One to the old address that comes back stops the person's mail, as any mail would.
    [mail] = pages_and_post_on_both.sink.mails_to(OLD)
    assert (await take_in(web_env.database, SETTINGS, report(mail.sender, who=OLD), web_env.now)).came == "bounced"


async def test_a_new_address_that_puts_us_off_keeps_nothing_else_back(pages_and_post: PagesAndPost) -> None:
    web_env = pages_and_post.web_env
    pages_and_post.sink.script(NEW, "rcpt 451 4.7.1 try again later")
    change = await wants(web_env, "ada", NEW)
    await pages_and_post.deliver()
    await pages_and_post.told_of("notice", "get_going")
    now = web_env.now + timedelta(seconds=45)
    assert (await pages_and_post.deliver(now)).sent == 1
    for _ in range(TRIES_ELSEWHERE):
        result = await pages_and_post.deliver(now)
        if result.next_at is None:
            break
        now = result.next_at
    assert pages_and_post.sink.tries[NEW] == TRIES_ELSEWHERE
    assert now - web_env.now < DAY
    assert ((await pages_and_post.change(change)).state, (await pages_and_post.ada()).standing) == (
        "refused",
        "active",
    )


@pytest.mark.parametrize("still_wanted", [True, False])
async def test_a_mail_that_nobody_knows_the_end_of_goes_once_more_if_it_still_asks(
    pages_and_post: PagesAndPost, still_wanted: bool
) -> None:
    web_env = pages_and_post.web_env
    pages_and_post.sink.script(NEW, DROP, ACCEPT)
    change = await wants(web_env, "ada", NEW)
    assert (await pages_and_post.deliver()).ambiguous == 1
    if not still_wanted:
        await pages_and_post.client.post(f"{me(web_env)}/address/cancel")
    await pages_and_post.deliver(web_env.now + HOUR)
    mails = pages_and_post.sink.mails_to(NEW)
    assert len(mails) == 1 + still_wanted
    assert len({mail.id for mail in mails}) == 1
    assert (await pages_and_post.change(change)).state == ("pending" if still_wanted else "withdrawn")
    # And her other mail goes its way.
    await pages_and_post.told_of("receipt", "safety_received")
    assert (await pages_and_post.deliver(web_env.now + 2 * HOUR)).sent == 1


async def test_nobody_learns_whose_address_it_is_and_a_coordinator_decides(pages_and_post: PagesAndPost) -> None:
    web_env, client = pages_and_post.web_env, pages_and_post.client

    def without(page: httpx.Response, email: str) -> str:
        return re.sub(r'value="[^"]*"', "", page.text.replace(email, ""))

    free = await act(client, f"{me(web_env)}/address", email=NEW)
    taken = await act(client, f"{me(web_env)}/address", email="BEN@example.org")
    assert without(taken, "BEN@example.org") == without(free, NEW)
    async with web_env.database.session() as session:
        found = await latest(session, "ada", web_env.now)
    assert found is not None
    change, says = found.id, ""
    for side in SIDES:
        says = await pages_and_post.says(change, side)
    assert "A coordinator looks at it" in says
    assert (await pages_and_post.ada()).email == OLD
    answered = told(web_env, "Answered")
    assert {one["signals"]["wish"] for one in answered} == {"address"}
    assert "ben" not in json.dumps([row[3] for row in web_env.told]).lower()
    assert ("asks_for_address", "BEN@example.org") in [(name, why) for _, name, _, why in await events(web_env)]
    after = await web_env.snapshot()
    await pages_and_post.says(change, "new")
    assert await web_env.snapshot() == after


async def test_what_can_not_be_a_new_address_is_said_kindly(pages_and_post: PagesAndPost) -> None:
    web_env, client = pages_and_post.web_env, pages_and_post.client
    path = f"{me(web_env)}/address"
    for email, says in (
        ("nowhere", "such as name@example.org"),
        (OLD.upper(), "That is the address that we have"),
        ("ädä@example.org", "plain letters before the @"),
    ):
        page = await act(client, path, email=email)
        assert (page.status_code, says in page.text) == (422, True), email
        assert "I can’t read mail at the old address any more" in page.text
    for number in range(3):
        assert (await act(client, path, email=f"ada@{number}.example.org")).status_code == 200
    page = await act(client, path, email="ada@4.example.org")
    assert (page.status_code, "Try again tomorrow, or ask a coordinator" in page.text) == (409, True)
    assert await web_env.count(AddressChangeRow) == 3
    await web_env.change(ParticipantRow, {"id": "ada"}, standing="bounced")
    assert (await client.get(path)).url.path == f"{path}/ask"


async def test_the_same_button_twice_asks_once(pages_and_post: PagesAndPost) -> None:
    web_env, client = pages_and_post.web_env, pages_and_post.client
    path = f"{me(web_env)}/address"
    fields = hidden((await client.get(path)).text) | {"email": NEW}
    await client.post(path, data=fields)
    after = await web_env.snapshot()
    assert (await client.post(path, data=fields)).status_code == 200
    assert await web_env.snapshot() == after
    assert await web_env.count(ItemRow) == 2


async def test_what_was_asked_for_can_be_taken_away_and_is_erased(pages_and_post_on_both: PagesAndPost) -> None:
    web_env = pages_and_post_on_both.web_env
    change = await wants(web_env, "ada", NEW)
    await pages_and_post_on_both.says(change, "new")
    await pages_and_post_on_both.deliver()
    page = await pages_and_post_on_both.client.get(f"{me(web_env)}/data.json")
    [asked] = page.json()["new_addresses"]
    assert (asked["address"], asked["state"], asked["confirmed_from_the_old_address"]) == (NEW, "pending", None)
    assert asked["confirmed_from_the_new_address"] == web_env.now.isoformat()
    assert NEW in (await pages_and_post_on_both.client.get(f"{me(web_env)}/data")).text
    await erase(web_env.database, "ada", web_env.now, by="coco")
    assert await web_env.count(AddressChangeRow) == 0
    assert "new.example.org" not in repr(await web_env.snapshot())
    for side in SIDES:
        path = f"/address/{web_env.links.address_token(change, side)}"
        assert (await pages_and_post_on_both.client.get(path)).status_code == 404
        assert (await pages_and_post_on_both.client.post(path, data={"say": "yes"})).status_code == 404
