"""A coordinator's message: whom it reaches, what keeps it back, what it says, and that it goes out once."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from activities.delivery.deliver import PostOffice
from activities.delivery.delivery_settings import PostOfficeRules
from activities.delivery.smtp import Relay, SmtpTransport
from activities.letters.fill_letters import LetterWriter
from activities.messages import DeliverInput, DeliverResult
from lifecycle.delivery.holds import Standstill
from lifecycle.delivery.postbox import LOOK_AFTER
from mail.compose import compose
from operations.cohorts.cancel import cancel
from operations.errors import NotFound, Refused
from operations.mentorships import message
from operations.mentorships.message import MessageText
from operations.own_links import without_links
from operations.people.erase import erase
from store import postbox
from store.database import Database
from store.postbox import Address
from store.tables import (
    AuditRow,
    CohortPersonRow,
    CohortRow,
    EventRow,
    ItemRow,
    MembershipRow,
    MentorshipRow,
    ParticipantRow,
    RelayRow,
    WrittenMessageRow,
)
from testing.environments.web_env import COHORT, NOW, SECRET, WebEnv, launch, web_env_of
from testing.servers.sink import Received, Sink
from testing.servers.sink import running as running_sink

LETTERBOX = NOW + LOOK_AFTER
"""A Monday, in everybody's letterbox but those of New York and Shanghai."""
WORDS = "Hello **all**,\n\n- one\n- two <b>bold</b> ![pixel](https://spy.example/p.png) {{ secret }}"
MOVES, PAUSED, HELD = Standstill(), Standstill(paused=True), Standstill(held=True)


@dataclass
class Office:
    """A launched cohort with its post office."""

    env: WebEnv
    sink: Sink
    office: PostOffice

    @property
    def database(self) -> Database:
        return self.env.database

    async def sent(self, now: datetime = NOW, **content: Any) -> str:
        """Write a message and send it; its id."""
        usual: dict[str, Any] = {"cohort": COHORT, "subject": "An evening", "text": WORDS}
        written = await message.draft(self.database, MessageText(**(usual | content)), now)
        await message.send(self.database, written.id, now, proof="command_line")
        return written.id

    async def deliver(self, now: datetime = LETTERBOX) -> DeliverResult:
        """A round of the only postmaster."""
        return await self.office.deliver(DeliverInput(0, now))

    async def items(self) -> dict[str, str]:
        """Person to the state of the message to them."""
        async with self.database.session() as session:
            rows = await session.scalars(select(ItemRow).where(ItemRow.name == "message").order_by(ItemRow.key))
            return {row.person: f"{row.state} {row.reason}".strip() for row in rows}

    async def stands(self, key: str, still: Standstill, now: datetime = NOW, **values: Any) -> None:
        """A standstill of a mentorship begins or ends, as its workflow writes it down."""
        values = {"held": still.held, "paused_until": "2027-05-03" if still.paused else ""} | values
        await self.env.change(MentorshipRow, {"key": key}, **values)
        async with self.database.begin() as session:
            cohort = await session.get_one(CohortRow, COHORT)
            rule = postbox.letterbox_rule(cohort.letterbox, cohort.holidays)
            await postbox.stand_still(session, Address(COHORT, key, now, rule, 1), still)

    def mail(self, person: str) -> Received:
        """The only mail that somebody got."""
        [mail] = self.sink.mails_to(f"{person}@example.org")
        return mail


@pytest.fixture
async def office(database: Database) -> AsyncIterator[Office]:
    """The test runs on SQLite and on PostgreSQL."""
    await launch(database)
    env = web_env_of(database)
    async with running_sink() as sink:
        transport = SmtpTransport(Relay("127.0.0.1", sink.port, "none", connections=2, timeout=5))
        writer = LetterWriter(env.links, "mentoring@example.org", secret=SECRET)
        rules = PostOfficeRules("mentoring@example.org", "", SECRET)
        yield Office(env, sink, PostOffice(database, transport, writer, compose, rules))
        await transport.close()


# -- what it says --------------------------------------------------------------------------------------------------


async def test_it_arrives_by_the_letterbox_in_the_words_of_who_wrote_it_and_replies_go_there(office: Office) -> None:
    id_ = await office.sent(people=("ada", "mia"))
    assert (await office.deliver()).sent == 2
    mail = office.mail("ada")
    assert mail.message["Subject"] == "An evening"
    assert "coco@example.org" in str(mail.message["Reply-To"])
    assert "Hello all," in mail.text
    assert "- one" in mail.text
    assert "{{ secret }}" in mail.text
    html = str(mail.message.get_body(("html",)).get_content())  # type: ignore[union-attr]
    assert "<strong" in html
    assert "<b>bold</b>" not in html
    assert "&lt;b&gt;bold" in html
    assert "<img" not in html.partition("Hello")[2]
    assert id_ not in mail.text
    written, became = await message.written(office.database, id_)
    assert (written.state, written.by, written.sent_at) == ("sent", "coco", NOW)
    assert [(one.person, one.state) for one in became] == [("ada", "sent"), ("mia", "sent")]


async def test_what_waits_for_the_same_person_comes_in_one_mail(office: Office) -> None:
    await office.sent(people=("ada",))
    await office.sent(people=("ada",), subject="And a second one")
    assert (await office.deliver()).sent == 1
    assert "2 things for you" in office.mail("ada").text


async def test_it_is_on_the_record_and_in_the_audit_without_its_words_and_no_workflow_hears_of_it(
    office: Office,
) -> None:
    whole = await office.sent()
    one = await office.sent(mentorships=("pair",))
    async with office.database.session() as session:
        lines = await session.scalars(select(EventRow).where(EventRow.name == "message_sent").order_by(EventRow.id))
        assert [(line.mentorship, line.detail, line.by) for line in lines] == [
            ("", whole, "coco"),
            ("pair", one, "coco"),
        ]
        rows = list(await session.scalars(select(AuditRow).where(AuditRow.what == "message").order_by(AuditRow.id)))
        assert [(row.by, row.proof, row.ids[0]) for row in rows] == [
            ("coco", "command_line", whole), ("coco", "command_line", one)
        ]  # fmt: skip
        assert all("evening" not in repr((row.reason, row.result, row.ids)) for row in rows)
        assert list(await session.scalars(select(RelayRow))) == []


# -- whom it reaches -----------------------------------------------------------------------------------------------


async def test_to_a_cohort_everybody_who_has_not_left_and_to_mentorships_those_with_a_seat(office: Office) -> None:
    await office.env.change(MembershipRow, {"person": "cai"}, standing="out")
    await office.sent()
    assert set(await office.items()) == {"ada", "ben", "mia"}
    with pytest.raises(NotFound, match="nobody"):
        await office.sent(people=("nobody",))
    with pytest.raises(NotFound, match="elsewhere"):
        await office.sent(mentorships=("pair", "elsewhere"))
    with pytest.raises(Refused, match="nobody is left"):
        await office.sent(people=("cai",))
    with pytest.raises(NotFound, match="coco"):
        await office.sent(people=("coco",))


async def test_who_leaves_before_it_arrives_gets_none(office: Office) -> None:
    await office.sent(mentorships=("pair", "reverse"))
    await office.env.change(MembershipRow, {"person": "ada", "mentorship": "pair"}, standing="out")
    await office.env.change(MembershipRow, {"person": "mia"}, standing="out")
    await office.deliver()
    assert await office.items() == {"ada": "sent", "mia": "dropped left"}


async def test_a_cohort_is_left_when_all_its_seats_are(office: Office) -> None:
    await office.sent(people=("ada", "cai"))
    await office.env.change(MembershipRow, {"person": "ada", "mentorship": "pair"}, standing="out")
    await office.env.change(MembershipRow, {"person": "cai"}, standing="out")
    await office.env.change(ParticipantRow, {"id": "cai"}, zone="Europe/Berlin")
    await office.deliver()
    assert await office.items() == {"ada": "sent", "cai": "dropped left"}


async def test_erased_and_bounced_people_get_none(office: Office) -> None:
    await office.sent(people=("ada", "mia"))
    await office.env.change(ParticipantRow, {"id": "mia"}, standing="bounced")
    await erase(office.database, "ada", NOW, by="coco")
    await office.deliver()
    assert await office.items() == {"ada": "dropped erased", "mia": "dropped bounced"}


async def test_it_goes_after_the_end_of_a_mentorship_as_well(office: Office) -> None:
    await office.env.change(MentorshipRow, {"key": "pair"}, state="over", ending="completed", ending_decided=True)
    await office.sent(mentorships=("pair",))
    await office.deliver()
    assert await office.items() == {"ada": "sent", "mia": "sent"}


# -- what keeps it back --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("still", [PAUSED, HELD])
async def test_about_a_mentorship_it_waits_for_the_end_of_a_standstill(office: Office, still: Standstill) -> None:
    await office.stands("pair", still)
    await office.sent(mentorships=("pair",))
    await office.deliver()
    assert await office.items() == {"ada": "held", "mia": "held"}
    await office.stands("pair", MOVES)
    await office.deliver(LETTERBOX + LOOK_AFTER)
    assert await office.items() == {"ada": "sent", "mia": "sent"}


@pytest.mark.parametrize("still", [PAUSED, HELD])
async def test_about_the_cohort_nothing_keeps_it_back(office: Office, still: Standstill) -> None:
    for key in ("pair", "reverse", "peers", "group"):
        await office.stands(key, still)
    await office.sent(people=("ada",))
    await office.deliver()
    assert await office.items() == {"ada": "sent"}


async def test_about_several_it_goes_as_soon_as_one_of_them_moves(office: Office) -> None:
    for key in ("pair", "reverse"):
        await office.stands(key, PAUSED)
    await office.sent(mentorships=("pair", "reverse"))
    await office.deliver()
    assert set((await office.items()).values()) == {"held"}
    # The second of the two: the item itself names the first.
    await office.stands("reverse", MOVES)
    await office.deliver(LETTERBOX + LOOK_AFTER)
    assert await office.items() == {"ada": "sent", "mia": "sent"}


async def test_a_standstill_of_one_of_several_holds_nothing(office: Office) -> None:
    await office.sent(mentorships=("pair", "reverse"))
    await office.stands("pair", HELD)
    await office.deliver()
    assert await office.items() == {"ada": "sent", "mia": "sent"}


async def test_what_a_coordinator_withholds_never_goes_out(office: Office) -> None:
    await office.stands("pair", HELD, state="over")
    await office.sent(mentorships=("pair",))
    await office.deliver()
    await office.stands("pair", Standstill(held=True, withheld=True))
    assert await office.items() == {"ada": "dropped over", "mia": "dropped over"}


async def test_with_a_cancelled_cohort_what_waits_is_dropped_and_more_is_refused(office: Office) -> None:
    await office.stands("pair", PAUSED)
    await office.sent(mentorships=("pair",))
    await office.deliver()
    await office.sent(people=("ben",))
    waiting = await message.draft(office.database, MessageText(COHORT, "Later", "Later."), NOW)
    await cancel(office.database, COHORT, NOW, by="coco")
    assert await office.items() == {"ada": "dropped over", "ben": "dropped over", "mia": "dropped over"}
    with pytest.raises(Refused, match="is cancelled"):
        await message.send(office.database, waiting.id, NOW)
    with pytest.raises(Refused, match="is cancelled"):
        await office.sent()


# -- looking, and sending once -------------------------------------------------------------------------------------


async def test_it_says_before_whom_it_reaches_and_when(office: Office) -> None:
    await office.stands("pair", PAUSED)
    await office.env.change(ParticipantRow, {"id": "ben"}, standing="bounced")
    await office.env.change(ParticipantRow, {"id": "mia"}, last_mail_on=date(2027, 4, 5))
    draft = await message.draft(office.database, MessageText(COHORT, "S", "T", ("pair", "peers", "group")), NOW)
    shown = await message.outlook(office.database, draft.id, NOW)
    assert [(one.id, one.arrives, one.waits) for one in shown.readers] == [
        ("ada", NOW, ""),
        ("ben", None, "bounced"),
        ("cai", datetime(2027, 4, 5, 9, tzinfo=UTC), ""),
        ("mia", datetime(2027, 4, 6, 7, tzinfo=UTC), ""),
    ]
    paused = await message.draft(office.database, MessageText(COHORT, "S", "T", ("pair",)), NOW)
    assert {one.waits for one in (await message.outlook(office.database, paused.id, NOW)).readers} == {"paused"}


async def test_what_was_looked_at_is_what_goes_out(office: Office) -> None:
    content = MessageText(COHORT, "S", "T", ("pair",))
    draft = await message.draft(office.database, content, NOW)
    seen = (await message.outlook(office.database, draft.id, NOW)).seen
    other = MessageText(COHORT, "S", "Other words", ("pair",))
    await message.draft(office.database, other, NOW, id_=draft.id)
    with pytest.raises(Refused, match="has changed since you looked"):
        await message.send(office.database, draft.id, NOW, seen=seen)
    seen = (await message.outlook(office.database, draft.id, NOW)).seen
    await office.env.change(MembershipRow, {"person": "mia"}, standing="out")
    with pytest.raises(Refused, match="has changed since you looked"):
        await message.send(office.database, draft.id, NOW, seen=seen)
    assert await office.items() == {}
    seen = (await message.outlook(office.database, draft.id, NOW)).seen
    assert (await message.send(office.database, draft.id, NOW, seen=seen)).readers == ("ada",)


async def test_sending_it_again_sends_nothing_again_and_it_can_be_changed_no_more(office: Office) -> None:
    id_ = await office.sent(people=("ada",))
    await office.deliver()
    again = await message.send(office.database, id_, NOW + timedelta(hours=1))
    assert (again.before, again.readers) == (True, ("ada",))
    with pytest.raises(Refused, match="is sent already"):
        await message.draft(office.database, MessageText(COHORT, "S", "T"), NOW, id_=id_)
    with pytest.raises(Refused, match="is sent already"):
        await message.discard(office.database, id_, NOW)
    assert len(office.sink.received) == 1


async def test_the_preview_is_the_mail_that_goes_out(office: Office) -> None:
    settings = office.env.settings.model_copy(update={"mail_from": "mentoring@example.org"})
    draft = await message.draft(office.database, MessageText(COHORT, "S", WORDS, ("pair",), ("ada",)), NOW)
    shown = await message.preview(office.database, settings, draft.id, "ada", NOW)
    await message.send(office.database, draft.id, NOW)
    await office.deliver()
    assert shown.text.split() == without_links(office.mail("ada").text).split()
    assert not re.search("/(me|stop|f)/", shown.text + shown.html)
    with pytest.raises(NotFound):
        await message.preview(office.database, settings, draft.id, "mia", NOW)


async def test_trying_it_out_keeps_nothing(office: Office) -> None:
    before = await office.env.snapshot()
    shown, mail = await message.try_out(
        office.database, MessageText(COHORT, "S", WORDS), NOW, office.env.settings, by="coco@example.org"
    )
    assert len(shown.readers) == 4
    assert "Hello all," in mail.text
    assert await office.env.snapshot() == before


@pytest.mark.parametrize(
    ("subject", "text", "says"),
    [
        ("", "T", "needs a subject"), (" \n ", "T", "needs a subject"), ("S", " ", "needs some text"),
        ("S" * 151, "T", "at most 150"), ("S", "T" * 10_001, "at most 10000"),
    ],
)  # fmt: skip
async def test_an_empty_or_endless_message_is_refused(office: Office, subject: str, text: str, says: str) -> None:
    with pytest.raises(Refused, match=says):
        await office.sent(subject=subject, text=text)


async def test_only_who_coordinates_the_cohort_writes(office: Office) -> None:
    with pytest.raises(Refused, match="no coordinator or deputy"):
        await message.draft(office.database, MessageText(COHORT, "S", "T"), NOW, by="ada")


async def test_replies_go_to_the_deputy_who_wrote_it(office: Office) -> None:
    async with office.database.begin() as session:
        session.add(ParticipantRow(id="dee", name="Dee Dupont", email="dee@example.org", zone="Europe/Berlin"))
        await session.flush()
        session.add(CohortPersonRow(cohort=COHORT, person="dee", role="deputy"))
    draft = await message.draft(office.database, MessageText(COHORT, "S", "T", people=("ada",)), NOW, by="dee")
    await message.send(office.database, draft.id, NOW, by="dee")
    await office.deliver()
    assert "dee@example.org" in str(office.mail("ada").message["Reply-To"])


async def test_erasing_takes_a_person_out_of_what_was_written(office: Office) -> None:
    alone = await office.sent(people=("ada",), text="Dear Ada Lindqvist, about your absence")
    all_ = await office.sent(text="We thank Ada Lindqvist for the cake")
    await erase(office.database, "ada", NOW, by="coco")
    async with office.database.session() as session:
        texts = {row.id: (row.subject, row.text) for row in await session.scalars(select(WrittenMessageRow))}
    assert texts[alone] == ("", "")
    assert "Lindqvist" not in texts[all_][1]
    assert "for the cake" in texts[all_][1]
