"""Who gets what and when, before anybody is mailed: the core's own steps, delivered by the core's own postbox.

The plan shows what is certain: that everybody accepts, and answers nothing else in time. What follows from answers
(the partner's turn at the agreement, a reply to a check-in, tasks) is in no plan. Must never have an opinion of its
own about a date.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from lifecycle.advance import begin
from lifecycle.commands import ItemKind
from lifecycle.delivery.letterbox import LetterboxRule, rule_of
from lifecycle.delivery.postbox import LOOK_AFTER, ItemFacts, PersonFacts, RequestFacts, record, sort_out
from lifecycle.local_time import begun_everywhere, local_date
from lifecycle.phases import closure
from lifecycle.phases.expectations import drafters
from lifecycle.state import Member, State, Step
from operations.errors import NotFound
from program.loader import Loaded
from program.models import Mentorship

UNLESS_ANSWERED = "unless answered by then"
WHEN_ALL_ACCEPT = "once everybody has accepted"
IF_WANTED = "to those who said yes to it"
AT_THE_LATEST = "at the latest; with the last closure form, if that comes earlier"


@dataclass(frozen=True, slots=True)
class PlannedItem:
    """One thing that one person will be told. Dates are calendar dates."""

    key: str
    mentorship: str
    person: str
    phase: str
    name: str
    number: int
    kind: ItemKind
    date: date
    """The step date; the mail comes with the next open letterbox."""
    closes: date | None = None
    """Until when a form can be answered."""
    condition: str = ""
    """On what it depends, in words; empty where it comes anyway."""


@dataclass(frozen=True, slots=True)
class PlannedMail:
    """A mail to one person. `at` is an instant (UTC), `zone` the person's own."""

    person: str
    zone: str
    at: datetime
    items: tuple[PlannedItem, ...]


@dataclass(frozen=True, slots=True)
class PlannedStep:
    """A step of a mentorship's plan, as the core built it."""

    mentorship: str
    phase: str
    name: str
    number: int
    verb: str
    opens: date
    reminders: tuple[date, ...]
    closes: date | None


@dataclass(frozen=True, slots=True)
class Plan:
    """A cohort's plan, as if it were launched at `launched_at` (program time, UTC)."""

    cohort: str
    title: str
    zone: str
    launched_at: datetime
    people: dict[str, str]
    """Participant id to name."""
    mails: tuple[PlannedMail, ...]
    """By time."""
    steps: tuple[PlannedStep, ...]
    """By mentorship and date."""


@dataclass(frozen=True, slots=True)
class PlannedTotal:
    """A step, or its reminders, over all mentorships of a plan. Dates are those of each reader's own zone."""

    name: str
    number: int
    kind: ItemKind
    first: date
    last: date
    people: int
    """How many people get it; each once."""


class UnknownKey(NotFound):
    """The file has no mentorship of this key."""


def plan(loaded: Loaded, launched_at: datetime, mentorship: str = "") -> Plan:
    """The plan of a cohort, or of one mentorship of it. Raises `UnknownKey`.

    A person who takes part in several mentorships gets one mail a day for all of them, also where only one is shown.
    """
    cohort = loaded.cohort
    keys = [entry.key for entry in cohort.mentorships]
    if mentorship and mentorship not in keys:
        raise UnknownKey(f"the file has no mentorship `{mentorship}`; it has {', '.join(keys)}")
    rule = rule_of(loaded.programs[cohort.program].letterbox, cohort.holidays)
    zones = {person.id: person.zone for person in cohort.participants}
    waiting: dict[str, list[tuple[PlannedItem, ItemFacts]]] = {id_: [] for id_ in zones}
    steps: list[PlannedStep] = []
    for entry in cohort.mentorships:
        state = everybody_accepts(loaded, entry, launched_at, zones)
        # It is planned when the mentorship closes, for those who opted in; here it is shown with its condition.
        asked_again = closure.follow_up(state)
        state.steps += [asked_again] if asked_again else []
        for item, in_postbox in _items(state, rule, launched_at):
            waiting[item.person].append((item, in_postbox))
        if mentorship in ("", entry.key):
            steps += [
                PlannedStep(
                    entry.key, step.phase, step.name, step.number, step.verb, step.opens, step.reminders, step.closes
                )
                for step in state.steps
            ]
    mails = [mail for id_, items in waiting.items() for mail in _delivered(id_, zones[id_], items, launched_at)]
    shown = (_only(mail, mentorship) for mail in mails)
    return Plan(
        cohort=cohort.cohort,
        title=cohort.title,
        zone=cohort.zone,
        launched_at=launched_at,
        people={person.id: person.name for person in cohort.participants},
        mails=tuple(sorted((mail for mail in shown if mail.items), key=lambda mail: (mail.at, mail.person))),
        steps=tuple(steps),
    )


def totals(plan: Plan) -> list[PlannedTotal]:
    """What the plan comes to: one line for each step and for the reminders of each, by date."""
    days: dict[tuple[str, int, ItemKind], list[tuple[date, str]]] = {}
    for mail in plan.mails:
        on = local_date(mail.at, mail.zone)
        for item in mail.items:
            days.setdefault((item.name, item.number, item.kind), []).append((on, mail.person))
    counted = [
        PlannedTotal(*key, min(gets)[0], max(gets)[0], len({person for _, person in gets}))
        for key, gets in days.items()
    ]
    return sorted(counted, key=lambda total: (total.first, total.last, total.kind == "reminder"))


def first_mails(plan: Plan, mentorships: Collection[str]) -> tuple[PlannedMail, ...]:
    """The mails of the first day on which one of these mentorships is written to; empty where none is."""
    mails = [mail for mail in plan.mails if any(item.mentorship in mentorships for item in mail.items)]
    return tuple(mail for mail in mails if local_date(mail.at, mail.zone) == local_date(mails[0].at, mails[0].zone))


def everybody_accepts(
    loaded: Loaded, mentorship: Mentorship, launched_at: datetime, zones: Mapping[str, str] | None = None
) -> State:
    """The state of a mentorship that begins, in which all seats are taken. `zones`: id of each participant to their
    zone, where the caller has that already."""
    cohort = loaded.cohort
    zones = zones or {person.id: person.zone for person in cohort.participants}
    return begin(
        program=loaded.program_of(mentorship).program,
        cohort=cohort.cohort,
        key=mentorship.key,
        start=mentorship.start or cohort.start,
        zone=cohort.zone,
        launched_on=local_date(launched_at, cohort.zone),
        members=[Member(person, role, zones[person], "accepted") for person, role in mentorship.members()],
        coordinators=sorted(person.id for person in cohort.coordinators),
        deputies=sorted(person.id for person in cohort.deputies),
        holidays=cohort.holidays,
    )


# -- what is put into postboxes --------------------------------------------------------------------------------


def _items(state: State, rule: LetterboxRule, launched_at: datetime) -> Iterator[tuple[PlannedItem, ItemFacts]]:
    invitation = state.step("invitation", 1)
    accepted_by = (invitation and invitation.closes) or state.launched_on
    for step in state.steps:
        ended = state.ended(step.closes) if step.closes else None
        if ended is not None and ended <= launched_at and step is not invitation:
            continue
        depends = WHEN_ALL_ACCEPT if step is not invitation and step.opens <= accepted_by else ""
        for person in drafters(state) if step.name == "agreement" else state.active():
            yield from _items_of(state, step, person, rule, launched_at, depends)
        if step.name == "closure" and step.closes is not None:
            # With nobody's answer the closure settles when its last day has ended, and the farewell follows.
            settles = max(state.ended(step.closes), state.begins(state.end))
            for person in state.active():
                item = PlannedItem(
                    key=f"{state.key}/farewell/{person}",
                    mentorship=state.key,
                    person=person,
                    phase="closure",
                    name="farewell",
                    number=1,
                    kind="notice",
                    date=step.closes + timedelta(days=1),
                    condition=AT_THE_LATEST,
                )
                yield item, ItemFacts(item.key, "notice", "farewell", begun_everywhere(settles), settles, rule)


def _items_of(
    state: State, step: Step, person: str, rule: LetterboxRule, launched_at: datetime, depends: str
) -> Iterator[tuple[PlannedItem, ItemFacts]]:
    key = state.request(step, person)
    number = closure.which_winding_down(state, step) if step.name == "winding_down" else step.number
    request = RequestFacts(key, "open", state.ended(step.closes)) if step.closes else None
    on_request = IF_WANTED if step.name == "follow_up" else depends
    first: tuple[ItemKind, date, str] = ("request" if request else "notice", step.opens, on_request)
    again: list[tuple[ItemKind, date, str]] = [("reminder", on, UNLESS_ANSWERED) for on in step.reminders]
    for nth, (kind, on, condition) in enumerate([first, *again]):
        item = PlannedItem(
            key=f"{key}/{kind}.{nth}",
            mentorship=state.key,
            person=person,
            phase="closure" if step.phase == "closed" else step.phase,
            name=step.name,
            number=number,
            kind=kind,
            date=on,
            closes=step.closes,
            condition=condition,
        )
        queued_at = max(state.begins(on), launched_at)
        yield item, ItemFacts(item.key, kind, step.name, on, queued_at, rule, request)


# -- and when they are delivered -------------------------------------------------------------------------------


def _delivered(
    person: str, zone: str, items: list[tuple[PlannedItem, ItemFacts]], launched_at: datetime
) -> Iterator[PlannedMail]:
    facts = PersonFacts(person, zone)
    planned = {item.key: item for item, _ in items}
    waiting = [in_postbox for _, in_postbox in items]
    now = launched_at + LOOK_AFTER
    while waiting:
        delivery = sort_out(facts, waiting, now)
        if delivery.ordinary:
            yield PlannedMail(person, zone, now, tuple(planned[item.key] for item in delivery.ordinary))
        record(facts, delivery, now)
        waiting = [item for item, _ in delivery.later]
        if delivery.next_at is not None:
            now = max(delivery.next_at + LOOK_AFTER, now)


def _only(mail: PlannedMail, mentorship: str) -> PlannedMail:
    items = tuple(item for item in mail.items if mentorship in ("", item.mentorship))
    return PlannedMail(mail.person, mail.zone, mail.at, items)
