"""A plan as other programs read it: JSON for scripts, CSV for spreadsheets, iCalendar for a coordinator's calendar.

These hold names, for they are the coordinator's own; they must never be passed to Temporal or written to a log.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from icalendar import Calendar, Event

from lifecycle.local_time import zone
from operations import spreadsheet
from operations.cohorts.plan import Plan, PlannedItem, PlannedMail
from operations.mentorships.labels import step_words
from program.text import CONTROLS

COLUMNS = (
    "date", "time", "zone", "person", "name", "mentorship", "phase", "item", "number", "kind", "step_date", "closes",
    "condition",
)  # fmt: skip


def as_object(plan: Plan) -> dict[str, Any]:
    """The plan for `--json`. Instants are ISO local times of the person's zone with offset, to the minute."""
    return {
        "cohort": plan.cohort,
        "zone": plan.zone,
        "launched_at": plan.launched_at.astimezone(zone(plan.zone)).isoformat(timespec="minutes"),
        "mails": [
            {
                "person": mail.person,
                "name": plan.people[mail.person],
                "zone": mail.zone,
                "at": local_time(mail),
                "items": [
                    {
                        "mentorship": item.mentorship,
                        "phase": item.phase,
                        "name": item.name,
                        "number": item.number,
                        "kind": item.kind,
                        "date": item.date.isoformat(),
                        "closes": _day(item.closes),
                        "condition": item.condition,
                    }
                    for item in mail.items
                ],
            }
            for mail in plan.mails
        ],
        "steps": [
            {
                "mentorship": step.mentorship,
                "phase": step.phase,
                "name": step.name,
                "number": step.number,
                "verb": step.verb,
                "opens": step.opens.isoformat(),
                "reminders": [on.isoformat() for on in step.reminders],
                "closes": _day(step.closes),
            }
            for step in plan.steps
        ],
    }


def as_csv(plan: Plan, separator: str = ";") -> str:
    """One row for each thing that each person gets, by time."""
    return spreadsheet.as_csv(COLUMNS, _rows(plan), separator)


def _rows(plan: Plan) -> Iterator[tuple[object, ...]]:
    for mail in plan.mails:
        on, _, at = local_time(mail).partition("T")
        for item in mail.items:
            yield (
                on, at[:5], mail.zone, mail.person, plan.people[mail.person], item.mentorship, item.phase, item.name,
                item.number, item.kind, item.date, item.closes or "", item.condition,
            )  # fmt: skip


def as_ics(plan: Plan) -> bytes:
    """An all-day entry for each day and thing, with who gets it and when (RFC 5545).

    The same plan gives the same entries under the same ids, so a calendar that takes the file again updates them.
    """
    entries: dict[tuple[date, str, int, str], list[tuple[PlannedMail, PlannedItem]]] = defaultdict(list)
    for mail in plan.mails:
        on = mail.at.astimezone(zone(mail.zone)).date()
        for item in mail.items:
            entries[on, item.name, item.number, item.kind].append((mail, item))
    calendar = Calendar()
    calendar.add("prodid", "-//mentorship engine//plan//EN")
    calendar.add("version", "2.0")
    calendar.add("x-wr-calname", CONTROLS.sub("", plan.title))
    for (on, name, number, kind), gets in sorted(entries.items()):
        event = Event()
        event.add("uid", f"{on}.{name}.{number}.{kind}.{plan.cohort}@mentorship")
        event.add("dtstamp", plan.launched_at)
        event.add("dtstart", on)
        event.add("dtend", on + timedelta(days=1))
        event.add("transp", "TRANSPARENT")
        whom = plan.people[gets[0][0].person] if len(gets) == 1 else f"{len(gets)} people"
        what = f"{step_words(name, number)}{': reminder' if kind == 'reminder' else ''} → {whom}"
        event.add("summary", CONTROLS.sub("", what))
        event.add("description", CONTROLS.sub("", "\n".join(_line(plan, mail, item) for mail, item in gets)))
        calendar.add_component(event)
    return calendar.to_ical()


def local_time(mail: PlannedMail) -> str:
    """When a mail arrives, as its reader's clock shows it: `2027-03-01T09:00+01:00`."""
    return mail.at.astimezone(zone(mail.zone)).isoformat(timespec="minutes")


def _line(plan: Plan, mail: PlannedMail, item: PlannedItem) -> str:
    at = mail.at.astimezone(zone(mail.zone)).strftime("%H:%M")
    condition = f", {item.condition}" if item.condition else ""
    return f"{plan.people[mail.person]} ({item.mentorship}), {at} {mail.zone}{condition}"


def _day(on: date | None) -> str | None:
    return on.isoformat() if on else None
