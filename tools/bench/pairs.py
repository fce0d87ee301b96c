"""Made cohorts: so many pairs on the shipped formal program, and people who answer everything in time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from program.loader import Loaded, LoadedProgram, load_cohort
from program.models import Cohort, Mentorship, Participant
from rehearsal.behaviour import Behaviour

ZONES = ("Europe/Berlin", "America/New_York", "Asia/Kolkata")
SHIPPED = Path(__file__).parents[2] / "config" / "cohorts" / "demo.yaml"


def pairs(name: str, many: int, start: date, zone: str = "Europe/Berlin", zones: tuple[str, ...] = ZONES) -> Loaded:
    """A cohort of this many pairs that starts on this date; their people live in `zones` by turns."""
    loaded = load_cohort(SHIPPED)
    people = tuple(
        Participant(
            id=f"{name}-p{nth:05}",
            name=f"Participant {nth:05}",
            email=f"{name}-p{nth:05}@example.org",
            zone=zones[nth % len(zones)],
            profile={"title": "Analyst"},
        )
        for nth in range(2 * many)
    )
    mentorships = tuple(
        Mentorship(key=f"m{nth:05}", mentor=people[2 * nth].id, mentees=(people[2 * nth + 1].id,))
        for nth in range(many)
    )
    changes: Mapping[str, Any] = {
        "cohort": name, "start": start, "zone": zone, "participants": people, "mentorships": mentorships,
        "apply": None, "wishes": None,  # an open call is looked at daily until its pairs are published
    }  # fmt: skip
    cohort: Cohort = loaded.cohort.model_copy(update=changes)
    return replace(loaded, cohort=cohort, used={cohort.program: loaded.used[cohort.program]})


def to_the_farewell(loaded: Loaded) -> Loaded:
    """The same without the follow-up half a year later, for which a season would take twice as long."""

    def ended(used: LoadedProgram) -> LoadedProgram:
        closure = used.program.phases.closure.model_copy(update={"follow_up": None})
        phases = used.program.phases.model_copy(update={"closure": closure})
        return replace(used, program=used.program.model_copy(update={"phases": phases}))

    return replace(loaded, used={id_: ended(used) for id_, used in loaded.used.items()})


def contented(loaded: Loaded) -> Behaviour:
    """Everybody answers everything: mentors on the next day in the morning, mentees at noon."""
    mentors = {mentorship.mentor for mentorship in loaded.cohort.mentorships}
    people = {
        person.id: {"default": {"after": 1, "at": "08:30"} if person.id in mentors else {"after": 1, "at": "12:00"}}
        for person in loaded.cohort.participants
    }
    return Behaviour.model_validate({"people": people})
