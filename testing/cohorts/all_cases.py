"""The season that most tests of this room look at: all cases in one cohort, played once by real workflows."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from lifecycle.local_time import instant
from program.loader import Loaded, load_cohort
from rehearsal.behaviour import Behaviour
from rehearsal.script import load_behaviour
from testing.cohorts.cases import LAUNCH, SECRET_WORD, START, Case

HERE = Path(__file__).parents[2] / "tests" / "workflows"
ZONE = "Europe/Berlin"

FAMILY = "Quillfeather"
"""Part of everybody's name in these seasons; it must never be seen outside the database and the mail."""
POST = "vexmail.example.org"
"""Where everybody gets mail."""

WORDS = {
    "invitation": ("i_goals", "i_offer"),
    "agreement": ("a_purpose", "a_offer", "a_last"),
    "check_in": ("p_word",),
    "midpoint": ("r_best", "r_change", "r_prog"),
    "closure": ("c_note", "c_moment", "c_improve"),
}
"""Free texts of the forms, into which people of these seasons write the secret word."""


def cohort_of(cases: Iterable[Case], name: str = "season") -> dict[str, Any]:
    """The cohort file of these cases."""
    participants, mentorships = [], []
    for case in cases:
        people = list(case.people())
        for person, zone in zip(people, (*case.zones, *[ZONE] * len(people)), strict=False):
            participants.append(
                {"id": person, "name": f"{person.title()} {FAMILY}", "email": f"{person}@{POST}", "zone": zone}
            )
        for person in case.joiners():
            participants.append({"id": person, "name": f"{person.title()} {FAMILY}", "email": f"{person}@{POST}"})
        mentorship: dict[str, Any] = {"key": case.key, "program": case.program}
        if case.peers:
            mentorship["peers"] = people
        else:
            mentorship |= {"mentor": people[0], "mentees": people[1:]}
        mentorships.append(mentorship)
    return {
        "cohort": name,
        "title": f"Season of the {FAMILY}s",
        "program": "formal",
        "start": START,
        "zone": ZONE,
        "holidays": [START + timedelta(days=25), START + timedelta(days=28)],
        "coordinators": [{"id": "c1", "name": f"Cora {FAMILY}", "email": f"c1@{POST}"}],
        "deputies": [{"id": "d1", "name": f"Dora {FAMILY}", "email": f"d1@{POST}", "zone": "Asia/Kolkata"}],
        "participants": participants,
        "mentorships": mentorships,
    }


def behaviour_of(cases: Iterable[Case]) -> dict[str, Any]:
    """The behaviour file of these cases."""
    people: dict[str, Any] = {}
    decisions: dict[str, Any] = {}
    events: list[Any] = []
    for minute, case in enumerate(cases):
        scripts = case.people() | {person: {} for person in case.joiners()}
        for hour, (person, script) in enumerate(scripts.items()):
            # Everybody has a minute of their own: what happens in the very same instant has no order in reality.
            default = {"after": 1, "at": f"{10 + 2 * hour + minute // 60:02}:{minute % 60:02}"}
            people[person] = wordy({"default": default, "closure": "never"} | dict(script))
        decisions |= {f"{case.key}/{kind}": decision for kind, decision in case.decides.items()}
        events += case.happenings()
    return {
        "people": people,
        "coordinator": {"decides_after": 1, "at": "09:50", "decisions": decisions},
        "events": events,
    }


def written(folder: Path, cohort: dict[str, Any], behaviour: dict[str, Any]) -> tuple[Path, Path]:
    """A cohort and a behaviour as files, with the programs of the tests beside them."""
    shutil.copytree(HERE / "config" / "programs", folder / "programs", dirs_exist_ok=True)
    paths = folder / "cohorts" / f"{cohort['cohort']}.yaml", folder / "people" / f"{cohort['cohort']}.yaml"
    for path, content in zip(paths, (cohort, behaviour), strict=True):
        path.parent.mkdir(parents=True, exist_ok=True)
        YAML().dump(content, path)
    return paths


def load(folder: Path, cases: Iterable[Case], name: str = "season") -> tuple[Loaded, Behaviour]:
    """The cohort and the behaviour of these cases, by way of files."""
    cases = list(cases)
    cohort, behaviour = written(folder, cohort_of(cases, name), behaviour_of(cases))
    loaded = load_cohort(cohort)
    return loaded, load_behaviour(behaviour, loaded)


def wordy(script: dict[str, Any]) -> dict[str, Any]:
    """The same script, with the secret word in every free text that is answered."""
    script_with_words = dict(script)
    for ask, questions in WORDS.items():
        if script.get("default") != "never":
            script_with_words.setdefault(ask, {})
        words = {question: f"{question}: {SECRET_WORD}" for question in questions}
        for when, reaction in script_with_words.items():
            if when.partition("#")[0] == ask and reaction != "never":
                script_with_words[when] = {**reaction, "answers": {**words, **reaction.get("answers", {})}}
    return script_with_words


def launch_moment(loaded: Loaded) -> datetime:
    """Ten in the morning, some days before the first invitation."""
    return instant(LAUNCH, time(10, 0), loaded.cohort.zone)
