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

from activities.deliver import PostOffice
from activities.delivery_round import TRIES_ELSEWHERE
from activities.delivery_settings import PostOfficeRules
from activities.fill_letters import LettersDesk
from activities.messages import DeliverInput, DeliverResult
from activities.record_turn import look_at
from activities.smtp import Relay, SmtpTransport
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
from testing.sink import ACCEPT, DROP, Received, Sink
from testing.sink import running as running_sink
from testing.web_env import BASE_URL, COHORT, SECRET, World, hidden, wants
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
class Town:
    """The pages, and a post office that brings what they put into postboxes to a mail server."""

    world: World
    client: httpx.AsyncClient
    sink: Sink
    office: PostOffice

    async def deliver(self, now: datetime | None = None) -> DeliverResult:
        """One round of the only postmaster."""
        return await self.office.deliver(DeliverInput(0, now or self.world.now))

    async def told_of(self, kind: str, name: str) -> None:
        """Something else goes into Ada's postbox."""
        world = self.world
        item = Post(f"{COHORT}/pair/{name}#1/ada/{kind}", "ada", kind, name, 1, world.now.date(), after_end=True)  # pyright: ignore[reportArgumentType]
        async with world.database.begin() as session:
            cohort = await session.get_one(CohortRow, COHORT)
            rule = letterbox_rule(cohort.letterbox, cohort.holidays)
            await post(session, Address(COHORT, "pair", world.now, rule, 1, look_at), [item], Standstill())

    async def says(self, change: str, side: Side, word: str = "yes") -> str:
        """Open the link that went to one of the two addresses and press a button; what the page then says."""
        path = f"/address/{self.world.links.address_token(change, side)}"
        page = await self.client.post(path, data={"say": word})
        assert page.url.path == path
        return words_on(page)

    async def ada(self) -> ParticipantRow:
        """Ada as the store has her."""
        async with self.world.database.session() as session:
            return await session.get_one(ParticipantRow, "ada")

    async def change(self, id_: str) -> AddressChangeRow:
        """A change as the store has it."""
        async with self.world.database.session() as session:
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
async def opened(world: World, sink: Sink) -> AsyncIterator[Town]:
    """A post office beside the pages."""
    transport = SmtpTransport(Relay("127.0.0.1", sink.port, "none", connections=2, timeout=5))
    rules = PostOfficeRules(FROM, BOUNCES, SECRET)
    office = PostOffice(world.database, transport, LettersDesk(world.links, FROM, secret=SECRET), compose, rules)
    async with world.client() as client:
        yield Town(world, client, sink, office)
    await transport.close()


@pytest.fixture
async def town(both: World, sink: Sink) -> AsyncIterator[Town]:
    """On either database."""
    async with opened(both, sink) as town:
        yield town


@pytest.fixture
async def village(world: World, sink: Sink) -> AsyncIterator[Town]:
    """On SQLite."""
    async with opened(world, sink) as town:
        yield town


@pytest.mark.parametrize("order", [SIDES, SIDES[::-1]], ids=["old first", "new first"])
async def test_a_new_address_counts_once_both_have_confirmed_it(town: Town, order: tuple[Side, Side]) -> None:
    world, client = town.world, town.client
    await town.told_of("notice", "get_going")
    await town.told_of("receipt", "safety_received")
    page = await act(client, f"{me(world)}/address", email=f" {NEW} ")
    assert page.url.path == me(world)
    assert "We have written to both addresses" in page.text
    waits = (
        f"{NEW}. It waits for your word from the old address and the new address, until the end of Sunday 11 April"
    )
    assert waits in words_on(page)
    assert len(told(world, "Seen")) == len(ADAS)
    assert world.woken == [0]

    # Each of the two in a mail of its own, and one of them to an address that nobody else's mail goes to.
    assert (await town.deliver()).sent == 4
    mails = {"new": town.sink.mails_to(NEW)[0]}
    subjects = {str(mail.message["Subject"]): mail for mail in town.sink.mails_to(OLD)}
    mails["old"] = subjects["Is this you? Your mail is to go to another address"]
    assert (len(town.sink.mails_to(NEW)), len(subjects)) == (1, 3)
    assert mails["new"].message["To"] == f"Ada Lindqvist <{NEW}>"
    assert mails["new"].message["Auto-Submitted"] == "auto-generated"
    assert mails["new"].message["List-Unsubscribe"] is None
    assert NEW in mails["old"].text
    # Whoever reads the new address has not shown yet who they are.
    assert not re.search("/me/|/stop/|/f/", mails["new"].raw.decode())
    assert "/me/" in mails["old"].text

    links = {side: link_in(mails[side]) for side in SIDES}
    before = await world.snapshot()
    for link in links.values():
        for _ in range(3):
            assert "It can be confirmed until the end of Sunday 11 April" in words_on(await client.get(link))
            assert (await client.head(link)).status_code == 200
    assert await world.snapshot() == before

    first, second = order
    assert f"Now only the {second} address is missing" in words_on(
        await client.post(links[first], data={"say": "yes"})
    )
    assert (await town.ada()).email == OLD
    assert f"It waits for your word from the {second} address, until" in words_on(await client.get(me(world)))
    before = await world.snapshot()
    await client.post(links[first], data={"say": "yes"})
    await client.post(links[second], data={"say": "perhaps"})
    assert await world.snapshot() == before
    assert told(world, "Corrected") == []

    assert "Your mail goes to the new address" in words_on(await client.post(links[second], data={"say": "yes"}))
    ada = await town.ada()
    assert (ada.email, ada.generation, ada.corrections) == (NEW, 2, 1)
    assert len(told(world, "Corrected")) == len(ADAS)
    after = await world.snapshot()
    for link in links.values():
        for word in ("yes", "no"):
            assert "Your mail goes to the new address" in words_on(await client.post(link, data={"say": word}))
    assert await world.snapshot() == after

    assert (await client.get(me(world))).status_code == 404
    assert NEW in (await client.get(me(world, generation=2))).text
    assert "@" not in json.dumps([row[3] for row in world.told])
    names = [name for _, name, _, _ in await events(world) if name != "dropped"]
    assert names == ["address_asked", *["address_confirmed"] * 2, *["details_corrected"] * len(ADAS)]


async def test_both_at_the_same_moment_are_one_correction(town: Town) -> None:
    change = await wants(town.world, "ada", NEW)
    await asyncio.gather(*(town.says(change, side) for side in SIDES for _ in range(2)))
    ada = await town.ada()
    assert (ada.email, ada.generation) == (NEW, 2)
    assert [name for _, name, _, _ in await events(town.world)].count("details_corrected") == len(ADAS)


@pytest.mark.parametrize("side", SIDES)
async def test_it_was_not_me_ends_it(village: Town, side: Side) -> None:
    world = village.world
    change = await wants(world, "ada", NEW)
    other: Side = "new" if side == "old" else "old"
    await village.says(change, other)
    assert "Nothing is changed" in await village.says(change, side, "no")
    after = await world.snapshot()
    for each in SIDES:
        for word in ("yes", "no"):
            assert "Nothing is changed" in await village.says(change, each, word)
    assert await world.snapshot() == after
    assert (await village.ada()).email == OLD
    # Whoever asked on her own page had her link: it opens nothing any more. A stranger can't take it from her.
    assert (await village.client.get(me(world))).status_code == (404 if side == "old" else 200)
    # What has not gone out yet does not.
    assert (await village.deliver()).sent == 0
    assert ("", "address_denied", side, "") in await events(world)
    # A stranger who has had a link of hers is for a coordinator to know of, once for every cohort.
    heard = [one["signals"] for one in told(world, "Answered")]
    wanted = [(True, "not_me")] if side == "old" else []
    assert [(one["help"], one["wish"]) for one in heard] == wanted
    assert ("A coordinator hears of it" in await village.says(change, side)) is (side == "old")
    assert "link_misused" in [name for _, name, _, _ in await events(world)] or side == "new"


async def test_where_nothing_runs_nobody_is_said_to_hear_of_it(village: Town) -> None:
    world = village.world
    change = await wants(world, "ada", NEW)
    async with world.database.begin() as session:
        await session.execute(update(MentorshipRow).values(state="over"))
    says = await village.says(change, "old", "no")
    assert "please tell us by replying" in says
    assert told(world, "Answered") == []


@pytest.mark.parametrize("how", ["withdrawn", "overtaken", "corrected", "lapsed"])
async def test_what_does_not_count_any_more_can_not_be_confirmed(town: Town, how: str) -> None:
    world, client = town.world, town.client
    change = await wants(world, "ada", NEW)
    await town.says(change, "old")
    expected, generation = OLD, 1
    if how == "withdrawn":
        page = await client.post(f"{me(world)}/address/cancel")
        assert "Your address stays as it is" in page.text
        assert NEW not in page.text
        again = await world.snapshot()
        await client.post(f"{me(world)}/address/cancel")
        assert await world.snapshot() == again
    elif how == "overtaken":
        later = await wants(world, "ada", "ada@third.example.org")
        assert later != change
        expected = OLD
    elif how == "corrected":
        await correct(world.database, "ada", Details(email="ada@desk.example.org"), world.now, by="coco")
        expected, generation = "ada@desk.example.org", 2
    else:
        world.now += timedelta(days=7)
    headings = {"withdrawn": "Nothing is changed", "lapsed": "The time for this is over"}
    before = await world.snapshot()
    for side in SIDES:
        assert headings.get(how, "This question is out of date") in await town.says(change, side)
    assert await world.snapshot() == before
    assert (await town.ada()).email == expected
    if how == "lapsed":
        assert "It was not confirmed from both in time" in (await client.get(me(world, generation=generation))).text
    else:
        await town.deliver()
        wanted = ["ada@third.example.org"] if how == "overtaken" else []
        assert [mail.recipient for mail in town.sink.received if mail.recipient != OLD] == wanted


async def test_what_the_new_address_refuses_counts_for_nobody(town: Town) -> None:
    world = town.world
    town.sink.script(NEW, GONE)
    change = await wants(world, "ada", NEW)
    assert (await town.deliver()).refused == 1
    assert ((await town.change(change)).state, (await town.ada()).standing) == ("refused", "active")
    assert await world.count(SuppressionRow) == 0
    assert [row for row in await events(world) if row[1] == "address_refused"] == [
        ("", "address_refused", "permanent 550 5.1.1", "")
    ]
    assert told(world, "Bounced") == []
    assert "It refuses mail, so nothing was changed" in (await town.client.get(me(world))).text
    assert "The new address refuses mail" in await town.says(change, "old")
    # Nothing waits, and the next mail comes as ever.
    await town.told_of("notice", "get_going")
    assert (await town.deliver(world.now + HOUR)).sent == 1
    assert len(town.sink.mails_to(OLD)) == 2
    assert await world.count(RelayRow) == 0


async def test_a_mail_to_the_new_address_that_comes_back_counts_for_nobody(town: Town) -> None:
    world = town.world
    change = await wants(world, "ada", NEW)
    await town.deliver()
    [mail] = town.sink.mails_to(NEW)
    assert (await take_in(world.database, SETTINGS, report(mail.sender, who=NEW), world.now)).came == "elsewhere"
    assert (await take_in(world.database, SETTINGS, report(mail.sender, who=NEW), world.now)).came == "known"
    assert ((await town.change(change)).state, (await town.ada()).standing) == ("refused", "active")
    # One to the old address that comes back stops the person's mail, as any mail would.
    [mail] = town.sink.mails_to(OLD)
    assert (await take_in(world.database, SETTINGS, report(mail.sender, who=OLD), world.now)).came == "bounced"


async def test_a_new_address_that_puts_us_off_keeps_nothing_else_back(village: Town) -> None:
    world = village.world
    village.sink.script(NEW, "rcpt 451 4.7.1 try again later")
    change = await wants(world, "ada", NEW)
    await village.deliver()
    await village.told_of("notice", "get_going")
    now = world.now + timedelta(seconds=45)
    assert (await village.deliver(now)).sent == 1
    for _ in range(TRIES_ELSEWHERE):
        result = await village.deliver(now)
        if result.next_at is None:
            break
        now = result.next_at
    assert village.sink.tries[NEW] == TRIES_ELSEWHERE
    assert now - world.now < DAY
    assert ((await village.change(change)).state, (await village.ada()).standing) == ("refused", "active")


@pytest.mark.parametrize("still_wanted", [True, False])
async def test_a_mail_that_nobody_knows_the_end_of_goes_once_more_if_it_still_asks(
    village: Town, still_wanted: bool
) -> None:
    world = village.world
    village.sink.script(NEW, DROP, ACCEPT)
    change = await wants(world, "ada", NEW)
    assert (await village.deliver()).ambiguous == 1
    if not still_wanted:
        await village.client.post(f"{me(world)}/address/cancel")
    await village.deliver(world.now + HOUR)
    mails = village.sink.mails_to(NEW)
    assert len(mails) == 1 + still_wanted
    assert len({mail.id for mail in mails}) == 1
    assert (await village.change(change)).state == ("pending" if still_wanted else "withdrawn")
    # And her other mail goes its way.
    await village.told_of("receipt", "safety_received")
    assert (await village.deliver(world.now + 2 * HOUR)).sent == 1


async def test_nobody_learns_whose_address_it_is_and_a_coordinator_decides(village: Town) -> None:
    world, client = village.world, village.client

    def without(page: httpx.Response, email: str) -> str:
        return re.sub(r'value="[^"]*"', "", page.text.replace(email, ""))

    free = await act(client, f"{me(world)}/address", email=NEW)
    taken = await act(client, f"{me(world)}/address", email="BEN@example.org")
    assert without(taken, "BEN@example.org") == without(free, NEW)
    async with world.database.session() as session:
        found = await latest(session, "ada", world.now)
    assert found is not None
    change, says = found.id, ""
    for side in SIDES:
        says = await village.says(change, side)
    assert "A coordinator looks at it" in says
    assert (await village.ada()).email == OLD
    answered = told(world, "Answered")
    assert {one["signals"]["wish"] for one in answered} == {"address"}
    assert "ben" not in json.dumps([row[3] for row in world.told]).lower()
    assert ("asks_for_address", "BEN@example.org") in [(name, why) for _, name, _, why in await events(world)]
    after = await world.snapshot()
    await village.says(change, "new")
    assert await world.snapshot() == after


async def test_what_can_not_be_a_new_address_is_said_kindly(village: Town) -> None:
    world, client = village.world, village.client
    path = f"{me(world)}/address"
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
    assert await world.count(AddressChangeRow) == 3
    await world.change(ParticipantRow, {"id": "ada"}, standing="bounced")
    assert (await client.get(path)).url.path == f"{path}/ask"


async def test_the_same_button_twice_asks_once(village: Town) -> None:
    world, client = village.world, village.client
    path = f"{me(world)}/address"
    fields = hidden((await client.get(path)).text) | {"email": NEW}
    await client.post(path, data=fields)
    after = await world.snapshot()
    assert (await client.post(path, data=fields)).status_code == 200
    assert await world.snapshot() == after
    assert await world.count(ItemRow) == 2


async def test_what_was_asked_for_can_be_taken_away_and_is_erased(town: Town) -> None:
    world = town.world
    change = await wants(world, "ada", NEW)
    await town.says(change, "new")
    await town.deliver()
    page = await town.client.get(f"{me(world)}/data.json")
    [asked] = page.json()["new_addresses"]
    assert (asked["address"], asked["state"], asked["confirmed_from_the_old_address"]) == (NEW, "pending", None)
    assert asked["confirmed_from_the_new_address"] == world.now.isoformat()
    assert NEW in (await town.client.get(f"{me(world)}/data")).text
    await erase(world.database, "ada", world.now, by="coco")
    assert await world.count(AddressChangeRow) == 0
    assert "new.example.org" not in repr(await world.snapshot())
    for side in SIDES:
        path = f"/address/{world.links.address_token(change, side)}"
        assert (await town.client.get(path)).status_code == 404
        assert (await town.client.post(path, data={"say": "yes"})).status_code == 404
