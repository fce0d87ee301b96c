"""Checks the `events` of a behaviour file against the cohort it is for: who, where, when, and what makes sense.

Whether a change is refused when its day has come is for the lifecycle to say, as in a real run.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta

from lifecycle.phases.closure import EARLY_REASONS
from program.faults import Fault, either, fault, quoted, suggestion
from program.files.reading import Source
from program.loader import Loaded
from program.models import Mentorship
from program.zones import is_zone, near_zones
from rehearsal.behaviour import OF_ALL, Behaviour, ScriptedAction

EXAMPLES = (
    "pause: 3w (with from: DATE, tell: true), pause_open: true, resume: true, extend: 4w, end: REASON, "
    "propose_end: ID, leave: ID, replace: ID with newcomer: ID, add: ID, remove: ID, nudge: true, release: true, "
    "cancel: true, bounce: ID, correct: ID, move: ID with zone: ZONE, "
    "message: TEXT (with mentorships: [KEY], to: [ID])"
)
BEFORE, AFTER = timedelta(days=366), timedelta(days=3660)
"""An event further from the cohort's start than these is a slip of the keyboard."""
SEATED = ("leave", "remove", "replace", "propose_end")
"""What is done to, or by, somebody who has a seat."""
PAUSES = ("pause", "pause_open")
COMPANIONS = {
    "newcomer": ("replace",), "zone": ("move",), "begins": PAUSES, "tell": PAUSES, "mentorships": ("message",),
    "to": ("message",),
}  # fmt: skip
"""Keys that mean nothing without another."""


def events_checked(behaviour: Behaviour, loaded: Loaded, source: Source) -> Iterator[Fault]:
    """Every fault of the events, with its place."""
    joining: dict[str, set[str]] = {}
    for event in behaviour.events:
        if event.mentorship and (event.newcomer or event.add):
            joining.setdefault(event.mentorship, set()).update(one for one in (event.newcomer, event.add) if one)
    for index, event in enumerate(behaviour.events):
        here = _Event(event, index, loaded, source)
        yield from here.shape()
        if len(event.what()) == 1:
            yield from here.people(joining.get(event.mentorship or "", set()))
            yield from here.details()


class _Event:
    """One event, and what it is checked against."""

    def __init__(self, event: ScriptedAction, index: int, loaded: Loaded, source: Source) -> None:
        self.event = event
        self.index = index
        self.source = source
        self.cohort = loaded.cohort
        self.known = [person.id for person in loaded.cohort.participants]
        self.mentorship: Mentorship | None = next(
            (one for one in loaded.cohort.mentorships if one.key == event.mentorship), None
        )
        program = self.mentorship.program if self.mentorship else None
        self.format = loaded.programs[program or loaded.cohort.program].format

    def fault(self, key: str, problem: str, remedy: str) -> Fault:
        """A fault at a key of this event."""
        return fault(self.source.place("events", self.index, key), problem, remedy)

    def shape(self) -> Iterator[Fault]:
        """One thing, with what belongs to it, in a mentorship that there is, on a day that makes sense."""
        event, what = self.event, self.event.what()
        if len(what) != 1:
            yield fault(
                self.source.place("events", self.index),
                "an event does exactly one thing"
                + (f", not {either(what).replace(' or ', ' and ')}" if what else ""),
                f"Write one of {EXAMPLES}.",
            )
        of_all = bool(what) and set(what) <= set(OF_ALL)
        if event.mentorship is None and not of_all:
            keys = [one.key for one in self.cohort.mentorships]
            yield fault(
                self.source.place("events", self.index),
                "it doesn't say which mentorship",
                f"Write mentorship: {keys[0] if keys else 'KEY'} beside it.",
            )
        elif event.mentorship is not None and self.mentorship is None:
            keys = [one.key for one in self.cohort.mentorships]
            yield self.fault(
                "mentorship",
                f"no mentorship has the key {quoted(event.mentorship)}",
                suggestion(event.mentorship, keys, "Write the key of a mentorship of the cohort."),
            )
        first, last = self.cohort.start - BEFORE, self.cohort.start + AFTER
        if not first <= event.on <= last:
            yield self.fault(
                "on",
                f"{event.on} is nowhere near this cohort, which starts on {self.cohort.start}",
                f"Write a date between {first} and {last}.",
            )
        for key, needs in COMPANIONS.items():
            if getattr(event, key) and not set(what) & set(needs):
                written = ScriptedAction.model_fields[key].alias or key
                yield self.fault(
                    written, f"{quoted(written)} means nothing here", f"Write it beside {either(needs)}."
                )

    def people(self, joining: Iterable[str]) -> Iterator[Fault]:
        """Each person who is named is somebody of the cohort, and has a seat where that matters."""
        event = self.event
        seated = [person for person, _ in self.mentorship.members()] if self.mentorship else []
        for key in SEATED:
            person = getattr(event, key)
            if person is not None and self.mentorship and person not in (*seated, *joining):
                yield self.fault(
                    key, f"{quoted(person)} has no seat in {event.mentorship}", f"Write {either(seated)}."
                )
        for key, ids, known in (
            ("mentorships", event.mentorships, [one.key for one in self.cohort.mentorships]),
            ("to", event.to, self.known),
        ):
            for one in ids:
                if one not in known:
                    what = "mentorship has the key" if key == "mentorships" else "participant has the id"
                    yield self.fault(
                        key, f"no {what} {quoted(one)}", suggestion(one, known, "Write one of the cohort.")
                    )
        for key in ("newcomer", "add", "bounce", "correct", "move"):
            person = getattr(event, key)
            if person is None:
                continue
            if person not in self.known:
                remedy = suggestion(person, self.known, "Add this person to the participants of the cohort.")
                yield self.fault(key, f"no participant has the id {quoted(person)}", remedy)
            elif key in ("newcomer", "add") and person in seated:
                somebody = "Write a participant who has none."
                yield self.fault(key, f"{quoted(person)} has a seat in {event.mentorship} already", somebody)

    def details(self) -> Iterator[Fault]:
        """What belongs to a change is there, and is such that it could be done at all."""
        event = self.event
        if event.begins is not None and event.begins < event.on:
            yield self.fault("from", "the pause begins before it is asked for", f"Write {event.on} or a later day.")
        if event.replace is not None and event.newcomer is None:
            yield self.fault("replace", "it doesn't say who takes the seat", "Write newcomer: ID beside it.")
        if event.extend is not None and event.extend % 7:
            yield self.fault("extend", "a mentorship is extended by whole weeks", "Write weeks, such as 4w.")
        if event.end is not None and event.end not in EARLY_REASONS:
            yield self.fault(
                "end",
                f"{quoted(event.end)} is no reason to end early",
                suggestion(event.end, EARLY_REASONS, f"Write {either(EARLY_REASONS)}."),
            )
        for key in ("add", "remove"):
            if getattr(event, key) is not None and self.mentorship and self.format != "group":
                yield self.fault(
                    key, f"{event.mentorship} is no group", "Write replace: ID with newcomer: ID, or leave: ID."
                )
        if event.move is not None and not is_zone(event.zone):
            near = near_zones(event.zone)
            remedy = (
                f"Did you mean {either(near)}?" if near else "Write zone: and an IANA zone, such as Europe/Berlin."
            )
            yield self.fault("zone", f"there is no time zone {quoted(event.zone)}", remedy)
