"""What each letter tells, to whom: every mail that the lifecycle names, in every format, from real rows."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Any

import pytest

from activities.letters.fill_letters import LetterWriter, PlannedLetter
from lifecycle.commands import Finish, OpenRequest, OpenTask
from lifecycle.keys import item_key, message_key, request_key, step_key, task_key
from mail.compose import compose
from mail.letters import ASKS, NOTICES, TO_COORDINATORS, Letter, LetterItem
from program.forms import Form
from program.loader import SHIPPED, LoadedProgram, load_program
from program.models import Cohort, Mentorship, Participant, Person
from store.cohorts.cohorts import freeze_program, put
from store.database import Database
from store.delivery.due import Item
from store.forms import agreements
from store.tables import AnswerRow, MembershipRow, ParticipantRow, WrittenMessageRow
from testing.cohorts.small_cohort import COHORT, applied, turn
from testing.environments.delivery_env import LINKS, SECRET, SENDER

NOW = datetime(2027, 3, 1, 8, 0, tzinfo=UTC)
START, END = date(2027, 3, 1), date(2027, 8, 30)
FORMATS = ("formal", "reverse", "peer", "group")
CASEY = Person(id="casey", name="Casey Coordinator", email="casey@example.org", zone="Europe/Berlin")
DANA = Person(id="dana", name="Dana Deputy", email="dana@example.org", zone="Europe/Berlin")


def people(format_: str) -> tuple[tuple[Participant, ...], Mentorship]:
    """Somebody for every seat of a format: ids are the format and the seat."""

    def one(seat: str, name: str, zone: str, **profile: str) -> Participant:
        id_ = f"{format_}-{seat}"
        return Participant(id=id_, name=name, email=f"{id_}@example.org", zone=zone, profile=profile)

    mia = one("mia", "Mia Mentor", "Europe/Berlin", title="Head of laboratory", offer="A sober ear.", goals="Rest.")
    eli = one("eli", "Eli Mentee", "America/New_York", goals="Lead a project.", languages="English")
    if format_ == "peer":
        return (mia, eli), Mentorship(key=format_, program=format_, peers=(mia.id, eli.id))
    if format_ == "group":
        uma = one("uma", "Uma Mentee", "Asia/Kolkata")
        return (mia, eli, uma), Mentorship(key=format_, program=format_, mentor=mia.id, mentees=(eli.id, uma.id))
    return (mia, eli), Mentorship(key=format_, program=format_, mentor=mia.id, mentees=(eli.id,))


@dataclass
class LetterEnv:
    """A cohort with a mentorship of every format."""

    database: Database
    letter_writer: LetterWriter

    def item(self, format_: str, seat: str, name: str, kind: str = "notice", number: int = 1, **rest: Any) -> Item:
        """An item as it waits in a postbox."""
        person = seat if seat in ("casey", "dana") else f"{format_}-{seat}"
        key = item_key(COHORT, format_, name, number, person, kind)
        request = request_key(COHORT, format_, name, number, person) if kind in ("request", "reminder") else ""
        usual = Item(key, person, kind, name, number, COHORT, format_, START, NOW, request, "", "")
        return replace(usual, **rest)

    async def letter(self, *items: Item, at: datetime = NOW) -> Letter:
        """The letter that tells of these items."""
        planned = PlannedLetter(message_key(item.key for item in items), items[0].person, items, at)
        async with self.database.session() as session:
            [letter] = await self.letter_writer.letters(session, [planned])
        if isinstance(letter, Exception):
            raise letter
        assert compose(letter).raw
        return letter

    async def letter_item(self, *items: Item) -> LetterItem:
        """What the letter tells of its only item."""
        [letter_item] = (await self.letter(*items)).items
        return letter_item

    async def write(self, *rows: Any) -> None:
        """Put rows down as they are."""
        async with self.database.begin() as session:
            session.add_all(rows)

    async def agree(self, format_: str, number: int, by: str, **body: Any) -> None:
        """A version of the agreement, signed by its author."""
        async with self.database.begin() as session:
            person = f"{format_}-{by}"
            await agreements.write(session, COHORT, format_, number, person, body, NOW)
            await agreements.sign(session, COHORT, format_, number, person, "as typed", NOW)

    async def said(self, format_: str, seat: str, **body: Any) -> None:
        """What somebody said at closure."""
        person = f"{format_}-{seat}"
        key = request_key(COHORT, format_, "closure", 1, person)
        await self.write(
            AnswerRow(
                request=key,
                version=1,
                submission=key,
                person=person,
                form="closure",
                form_version=1,
                body=body,
                at=NOW,
            )
        )


@cache
def loaded() -> dict[str, LoadedProgram]:
    """The shipped programs."""
    return {format_: load_program(SHIPPED / "programs" / f"{format_}.yaml") for format_ in FORMATS}


@pytest.fixture
async def letter_env(sqlite_url: str) -> AsyncIterator[LetterEnv]:
    """The cohort; on SQLite, since what a letter tells does not depend on the database."""
    async with Database.open(sqlite_url) as database:
        yield await launched(database)


@pytest.fixture
async def letter_env_on_both(database: Database) -> LetterEnv:
    """The cohort on SQLite and on PostgreSQL: every statement that reads for a letter."""
    return await launched(database)


async def launched(database: Database) -> LetterEnv:
    """A cohort with a mentorship of every format, everybody asked for everything."""
    everybody = [people(format_) for format_ in FORMATS]
    cohort = Cohort(
        cohort=COHORT,
        title="Spring 2027",
        program="formal",
        start=START,
        zone="Europe/Berlin",
        coordinators=(CASEY,),
        deputies=(DANA,),
        participants=tuple(person for some, _ in everybody for person in some),
        mentorships=tuple(mentorship for _, mentorship in everybody),
        organisation="Example Society",
    )
    async with database.begin() as session:
        frozen = {id_: await freeze_program(session, one.program, one.forms, NOW) for id_, one in loaded().items()}
    await put(database, cohort, frozen, START, NOW)
    for some, mentorship in everybody:
        seats = dict(mentorship.members())
        requests = [
            _request(mentorship.key, ask, number, person.id, seats[person.id])
            for person in some
            for ask in (*ASKS, "are_you_there")
            for number in ((1, 2) if ask in ("agreement", "check_in") else (1,))
        ]
        tasks = [
            OpenTask(
                key=task_key(COHORT, mentorship.key, kind, 1),
                kind=kind,
                number=1,
                reason="They have not met.",
                due=START + timedelta(days=7),
                decisions=("noted", "end"),
                about=(some[0].id,),
            )
            for kind in ("stalled", "safety")
        ]
        await applied(
            database,
            turn(1, NOW, mentorship=mentorship.key, open_requests=requests, open_tasks=tasks, start=START, end=END),
        )
    return LetterEnv(database, LetterWriter(LINKS, SENDER, secret=SECRET))


def _request(mentorship: str, ask: str, number: int, person: str, role: str) -> OpenRequest:
    opens = START + timedelta(days=30 * number)
    return OpenRequest(
        key=request_key(COHORT, mentorship, ask, number, person),
        ask=ask,
        number=number,
        person=person,
        role=role,
        opens=opens,
        closes=opens + timedelta(days=10),
        closes_at=datetime.combine(opens + timedelta(days=11), time(4), tzinfo=UTC),
        step=step_key(COHORT, mentorship, ask, number),
    )


@pytest.mark.parametrize("format_", FORMATS)
async def test_every_mail_can_be_written_in_every_format(letter_env_on_both: LetterEnv, format_: str) -> None:
    letter_env = letter_env_on_both
    await letter_env.agree(format_, 1, "eli", a_purpose="Find my field.")
    written = WrittenMessageRow(
        id="written",
        cohort=COHORT,
        by="casey",
        subject="The room",
        text="We meet in *room 4*.",
        changed_at=NOW,
        sent_at=NOW,
    )
    await letter_env.write(written)
    seats = ("mia", "eli", "uma") if format_ == "group" else ("mia", "eli")
    for seat in seats:
        for ask in ASKS:
            await letter_env.letter(letter_env.item(format_, seat, ask, "request"))
            await letter_env.letter(letter_env.item(format_, seat, ask, "reminder", key=f"{ask}/reminder.2"))
        asked = request_key(COHORT, format_, "are_you_there", 1, f"{format_}-{seat}")
        for name in NOTICES:
            carries = asked if name in ("are_you_there", "closing_for_silence") else ""
            abouts = {"partner_left": f"{format_}-mia", "partner_paused": "2027-04-05/open", "message": "written"}
            about = abouts.get(name, "")
            await letter_env.letter(letter_env.item(format_, seat, name, request=carries, about=about))
    for name in TO_COORDINATORS:
        about = f"{format_}-mia" if name == "reminders_stopped" else format_
        task = "" if name == "reminders_stopped" else task_key(COHORT, format_, "stalled", 1)
        await letter_env.letter(
            letter_env.item(format_, "dana" if name == "task_to_deputy" else "casey", name, task=task, about=about)
        )


@pytest.mark.parametrize(
    ("dates", "says"),
    [
        ("2127-04-05/2127-05-03", (date(2127, 4, 5), date(2127, 5, 3))),
        ("2027-01-01/2127-05-03", (None, date(2127, 5, 3))),  # it has begun
        ("2127-04-05/open", (date(2127, 4, 5), None)),
    ],
)
async def test_a_pause_is_told_by_its_dates(
    letter_env: LetterEnv, dates: str, says: tuple[date | None, date | None]
) -> None:
    letter_item = await letter_env.letter_item(letter_env.item("formal", "eli", "partner_paused", about=dates))
    assert (letter_item.since, letter_item.closes) == says
    assert letter_item.about is None


async def test_who_writes_to_whom(letter_env: LetterEnv) -> None:
    letter = await letter_env.letter(letter_env.item("formal", "eli", "introduction"))
    assert (letter.recipient.email, letter.recipient.zone) == ("formal-eli@example.org", "America/New_York")
    assert (letter.cohort_title, letter.organisation, letter.sender) == ("Spring 2027", "Example Society", SENDER)
    assert (letter.coordinator.email, letter.capacity) == ("casey@example.org", "participant")
    assert letter.unsubscribe_url == LINKS.stop_url("formal-eli", 1)
    assert letter.place_url == LINKS.place_url("formal-eli", 1)
    task = letter_env.item(
        "formal", "casey", "task_opened", task=task_key(COHORT, "formal", "stalled", 1), about="formal"
    )
    assert (await letter_env.letter(task)).place_url == ""


async def test_partners_are_met_at_the_introduction_and_not_before(letter_env: LetterEnv) -> None:
    assert (await letter_env.letter_item(letter_env.item("formal", "eli", "invitation", "request"))).partners == ()
    [mia] = (await letter_env.letter_item(letter_env.item("formal", "eli", "introduction"))).partners
    assert (mia.name, mia.email, mia.role) == ("Mia Mentor", "formal-mia@example.org", "mentor")
    assert (mia.goals, mia.offer) == ("", "A sober ear.")
    assert dict(mia.profile) == {"title": "Head of laboratory"}
    [eli] = (await letter_env.letter_item(letter_env.item("formal", "mia", "introduction"))).partners
    assert (eli.goals, dict(eli.profile)) == ("Lead a project.", {"languages": "English"})
    group = await letter_env.letter_item(letter_env.item("group", "eli", "introduction"))
    assert [one.name for one in group.partners] == ["Mia Mentor", "Uma Mentee"]


async def test_whoever_is_out_is_no_partner(letter_env: LetterEnv) -> None:
    async with letter_env.database.begin() as session:
        seat = await session.get_one(MembershipRow, (COHORT, "group", "group-uma"))
        seat.standing = "out"
    group = await letter_env.letter_item(letter_env.item("group", "eli", "introduction"))
    assert [one.name for one in group.partners] == ["Mia Mentor"]


async def test_a_request_leads_to_its_form_and_says_how_long_and_until_when(letter_env: LetterEnv) -> None:
    letter_item = await letter_env.letter_item(letter_env.item("formal", "eli", "check_in", "request", 2))
    assert letter_item.link.startswith("https://mentoring.example.org/f/")
    assert (letter_item.form_title, letter_item.closes, letter_item.number) == ("Check-in", date(2027, 5, 10), 2)
    assert letter_item.since == date(2027, 3, 31), "the check-in before"
    first = await letter_env.letter_item(letter_env.item("formal", "eli", "check_in", "request"))
    assert first.since == START


async def test_a_reminder_says_which_it_is_and_hangs_under_the_request(letter_env: LetterEnv) -> None:
    item = letter_env.item("formal", "eli", "check_in", "reminder")
    letter_item = await letter_env.letter_item(replace(item, key=f"{item.key}.2"))
    assert (letter_item.kind, letter_item.nth) == ("reminder", 2)


async def test_are_you_there_has_three_links(letter_env: LetterEnv) -> None:
    asked = request_key(COHORT, "formal", "are_you_there", 1, "formal-eli")
    letter_item = await letter_env.letter_item(letter_env.item("formal", "eli", "are_you_there", request=asked))
    assert letter_item.link == ""
    assert {state: url.rpartition("?")[2] for state, url in letter_item.links.items()} == {
        "fine": "state=fine", "stuck": "state=stuck", "stopped": "state=stopped",
    }  # fmt: skip


async def test_the_last_call_says_until_when(letter_env: LetterEnv) -> None:
    asked = request_key(COHORT, "formal", "are_you_there", 1, "formal-eli")
    letter_item = await letter_env.letter_item(letter_env.item("formal", "eli", "closing_for_silence", request=asked))
    assert letter_item.closes == START + timedelta(days=7)
    assert letter_item.link


# -- the agreement -------------------------------------------------------------------------------------------------


async def test_whoever_drafts_is_asked_to_and_whoever_reads_sees_what_changed(letter_env: LetterEnv) -> None:
    drafting = await letter_env.letter_item(letter_env.item("formal", "eli", "agreement", "request", 1))
    assert drafting.drafting

    await letter_env.agree("formal", 1, "eli", a_cadence="weekly", a_notes="own")
    reading = await letter_env.letter_item(letter_env.item("formal", "mia", "agreement", "request", 1))
    assert (reading.drafting, reading.agreement_version, reading.changes) == (False, 1, ())
    assert reading.about is not None
    assert reading.about.name == "Eli Mentee"

    await letter_env.agree("formal", 2, "mia", a_cadence="every_2_weeks", a_length="60", a_coi=True)
    back = await letter_env.letter_item(letter_env.item("formal", "eli", "agreement", "request", 2))
    assert [(one.before, one.after) for one in back.changes] == [
        ("every week", "every 2 weeks"),
        ("", "60 minutes"),
        ("each their own", ""),
    ]


async def test_the_agreement_is_read_as_it_was_written(letter_env: LetterEnv) -> None:
    await letter_env.agree(
        "formal",
        2,
        "eli",
        a_purpose="Find my field.",
        a_goals=[{"what": "Lead one project", "by": "2027-06-01"}, {"what": "Say no"}],
        a_channel=["video", "phone"],
        a_conf=True,
        a_away=[["2027-04-01", "2027-04-10"]],
        sign_e="Eli",
    )
    letter_item = await letter_env.letter_item(letter_env.item("formal", "mia", "agreement_concluded", number=2))
    texts = [text for _, text in letter_item.agreement]
    assert texts == [
        "Find my field.",
        "1. Lead one project\nBy when? 1 June 2027\n2. Say no",
        "video and phone",
        "1 April 2027 – 10 April 2027",
        "Understood by both of us",
    ]
    assert letter_item.link, "to the page of the agreement"


@pytest.mark.parametrize(
    ("format_", "zone"),
    [
        ("formal", "America/New_York"),
        ("reverse", "America/New_York"),
        ("peer", "Europe/Berlin"),
        ("group", "Europe/Berlin"),
    ],
)
async def test_a_weekday_and_a_time_make_a_meeting_series(letter_env: LetterEnv, format_: str, zone: str) -> None:
    body = {"a_day": "tue", "a_time": "16:30", "a_cadence": "every_2_weeks", "a_length": "45"}
    await letter_env.agree(format_, 1, "mia", **body)
    series = (await letter_env.letter_item(letter_env.item(format_, "eli", "agreement_concluded"))).meetings
    assert series is not None
    assert (series.weekday, series.at, series.zone, series.every_weeks) == ("tue", time(16, 30), zone, 2)
    assert (series.minutes, series.first, series.until) == (45, START + timedelta(days=1), END)


@pytest.mark.parametrize(
    "missing",
    [{"a_day": None}, {"a_time": "after lunch"}, {"a_time": "25:00"}, {"a_cadence": "other"}, {"a_length": ""}],
)
async def test_what_is_no_series_makes_none(letter_env: LetterEnv, missing: dict[str, Any]) -> None:
    body = {"a_day": "tue", "a_time": "16:30", "a_cadence": "weekly", "a_length": "45"} | missing
    await letter_env.agree("formal", 1, "eli", **body)
    assert (await letter_env.letter_item(letter_env.item("formal", "eli", "agreement_concluded"))).meetings is None


# -- the farewell --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mine", "theirs", "shown"),
    [
        ("regularly", "now_and_then", True),
        ("regularly", "close", False),
        ("close", "regularly", False),
        ("regularly", None, False),
    ],
)
async def test_contact_details_are_given_where_all_chose_to_stay_in_touch(
    letter_env: LetterEnv, mine: str, theirs: str | None, shown: bool
) -> None:
    await letter_env.said("formal", "eli", c_contact=mine)
    if theirs:
        await letter_env.said("formal", "mia", c_contact=theirs)
    contacts = (await letter_env.letter_item(letter_env.item("formal", "eli", "farewell"))).contacts
    assert [one.email for one in contacts] == (["formal-mia@example.org"] if shown else [])


async def test_in_a_group_all_must_have_chosen_to(letter_env: LetterEnv) -> None:
    for seat in ("mia", "eli"):
        await letter_env.said("group", seat, c_contact="regularly")
    assert (await letter_env.letter_item(letter_env.item("group", "eli", "farewell"))).contacts == ()
    await letter_env.said("group", "uma", c_contact="now_and_then")
    assert len((await letter_env.letter_item(letter_env.item("group", "eli", "farewell"))).contacts) == 2


async def test_notes_are_passed_on_to_the_others_and_nothing_else_is(letter_env: LetterEnv) -> None:
    await letter_env.said("formal", "mia", c_note="It was a pleasure.", c_improve="Fewer mails.", c_partner=2)
    await letter_env.said("formal", "eli", c_note="Thank you!")
    letter = await letter_env.letter(letter_env.item("formal", "eli", "farewell"))
    assert letter.items[0].notes == (("Mia Mentor", "It was a pleasure."),)
    assert "Fewer mails" not in compose(letter).text


async def test_an_early_end_is_worded_as_one(letter_env: LetterEnv) -> None:
    finish = Finish("ended_early", "no_fault", START)
    await applied(
        letter_env.database, turn(2, NOW, mentorship="formal", finish=finish, over=True, start=START, end=END)
    )
    letter_item = await letter_env.letter_item(letter_env.item("formal", "eli", "farewell", about="no_fault"))
    assert letter_item.early
    assert not letter_item.certificate


# -- another version of the program ---------------------------------------------------------------------------------


async def test_what_an_earlier_version_asked_is_told_of_in_the_words_of_today_with_the_form_of_then(
    letter_env_on_both: LetterEnv,
) -> None:
    letter_env, formal = letter_env_on_both, loaded()["formal"]
    await letter_env.said("formal", "mia", c_note="It was a pleasure.")
    await letter_env.agree("formal", 1, "eli", a_purpose="Find my field.")
    edited = {
        "check_in": formal.forms["check_in"].model_copy(update={"title": "Another check-in"}),
        "closure": _without(formal.forms["closure"], "c_note"),
        "agreement": _without(formal.forms["agreement"], "a_purpose"),
    }
    program = formal.program.model_copy(
        update={"title": "Edited", "phases": formal.program.phases.model_copy(update={"midpoint": None})}
    )
    async with letter_env.database.begin() as session:
        version = (await freeze_program(session, program, edited, NOW)).hash
    fresh = _request("formal", "check_in", 3, "formal-eli", "mentee")
    later = turn(2, NOW, mentorship="formal", open_requests=[fresh], start=START, end=END)
    await applied(letter_env.database, replace(later, version=version))
    titles = {
        (item.name, item.number): (await letter_env.letter_item(item)).form_title
        for item in (
            letter_env.item("formal", "eli", "check_in", "request", 2),
            letter_env.item("formal", "eli", "check_in", "request", 3),
            letter_env.item("formal", "eli", "midpoint", "reminder"),
        )
    }
    assert titles == {
        ("check_in", 2): "Check-in",
        ("check_in", 3): "Another check-in",
        ("midpoint", 1): formal.forms["midpoint"].title,
    }
    concluded = await letter_env.letter_item(letter_env.item("formal", "mia", "agreement_concluded"))
    assert [text for _, text in concluded.agreement] == ["Find my field."]
    farewell = await letter_env.letter_item(letter_env.item("formal", "eli", "farewell"))
    assert farewell.notes == (("Mia Mentor", "It was a pleasure."),), "its author was told who reads it"
    assert farewell.program_title == "Edited"


def _without(form: Form, question: str) -> Form:
    kept = tuple(one for one in form.questions if one.id != question)
    return form.model_copy(update={"questions": kept})


# -- coordinators --------------------------------------------------------------------------------------------------


async def test_a_coordinator_learns_of_a_task_and_whom_it_concerns(letter_env: LetterEnv) -> None:
    task = task_key(COHORT, "formal", "stalled", 1)
    letter = await letter_env.letter(letter_env.item("formal", "casey", "task_opened", task=task, about="formal"))
    facts = letter.items[0].task
    assert facts is not None
    assert (facts.reason, facts.about, facts.decisions) == ("They have not met.", ("Mia Mentor",), ("noted", "end"))
    assert (letter.capacity, letter.items[0].role, letter.unsubscribe_url) == ("coordinator", "coordinator", "")
    deputy = await letter_env.letter(letter_env.item("formal", "dana", "task_to_deputy", task=task))
    assert (deputy.capacity, deputy.items[0].role) == ("deputy", "deputy")


async def test_a_safety_report_is_told_of_without_any_content(letter_env: LetterEnv) -> None:
    task = task_key(COHORT, "formal", "safety", 1)
    letter = await letter_env.letter(letter_env.item("formal", "casey", "task_opened", "urgent", task=task))
    assert letter.items[0].task is not None
    assert letter.items[0].task.about == ()
    assert "Mia" not in compose(letter).text


async def test_replies_go_to_a_coordinator_who_can_be_reached(letter_env: LetterEnv) -> None:
    async with letter_env.database.begin() as session:
        (await session.get_one(ParticipantRow, "casey")).standing = "bounced"
    assert (await letter_env.letter(letter_env.item("formal", "eli", "get_going"))).coordinator.id == "dana"


async def test_a_letter_that_cannot_be_written_stands_alone(letter_env: LetterEnv) -> None:
    good, bad = letter_env.item("formal", "eli", "get_going"), letter_env.item("formal", "mia", "agreement_concluded")
    planned_letters = [PlannedLetter(item.key, item.person, (item,), NOW) for item in (bad, good)]
    async with letter_env.database.session() as session:
        first, second = await letter_env.letter_writer.letters(session, planned_letters)
    assert isinstance(first, LookupError)
    assert "Mia" not in str(first)
    assert isinstance(second, Letter)
