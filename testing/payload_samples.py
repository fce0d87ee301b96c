"""What passes through Temporal and may be read a year later by newer code: samples of every kind, as they are
written, and what is left of them where everything that has a default is left out."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import MISSING, fields, is_dataclass
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel, TypeAdapter

from activities.messages import (
    CarriedOut,
    CohortProgress,
    CohortQuestion,
    DeliverInput,
    DeliverResult,
    Started,
)
from lifecycle import events
from lifecycle.commands import Batch
from lifecycle.events import EVENTS, Assessed, Event
from lifecycle.findings import Findings, Signals
from lifecycle.state import State
from program.loader import Loaded
from rehearsal.behaviour import Behaviour
from rehearsal.script_actions import change_happens
from rehearsal.season import RehearsedSeason, Running
from testing.cohorts.all_cases import launch_moment, load
from testing.cohorts.cases import CASES
from workflows.inputs import WORDING, CohortInput, MentorshipInput, Pace, PostmasterInput, numbers_of

PROGRAMS = "programs.json"

AT = datetime(2038, 3, 9, 17, 4, 5, 678900, UTC)
DAY = date(2038, 5, 31)
PACE = Pace(epoch=AT, speed=1440.0)

FINDINGS = Findings(
    answered=("ada", "ben"), accepted=("ada",), declined=("ben",), nudge=True, no_contact=True, low=True,
    no_meeting=True, differ=True, goal_changed=("ben",), midpoint="pause", pause_until=DAY,
    reason="ben wants a pause", concerned=("ben",), follow_up=("ada",),
)  # fmt: skip
SIGNALS = Signals(
    accepted=True, safety=True, help=True, fit=True, stopped=True, act="change", version=2, zone="Asia/Tokyo"
)

HAPPENED: tuple[Event, ...] = (
    events.Answered("s/1", "ada", "agreement", 1, SIGNALS, AT),
    events.Assessed("a/1", "midpoint", 1, FINDINGS),
    events.Decided("o/1", "task/1", "replace", "casey", DAY, "cleo", "Asia/Tokyo", "ben"),
    events.Pause("o/2", DAY, "casey", 3, DAY, tell=True),
    events.Resume("o/3", "casey", 3),
    events.Extend("o/4", 2, "casey", 3),
    events.Adopt("o/19", {"program": "formal", "title": "formal", "length": 196}, "f" * 64, "casey", 3),
    events.End("o/5", "left", "casey", "ben", 3),
    events.ProposeEnd("o/6", "ben", "goals_reached"),
    events.Replace("o/7", "ben", "cleo", "Asia/Tokyo", "casey", 3),
    events.Add("o/8", "cleo", "mentee", "Asia/Tokyo", "casey", 3),
    events.Remove("o/9", "ben", "casey", 3),
    events.Leave("o/10", "ben", True),
    events.Nudge("o/11", "casey", 3),
    events.Release("o/12", "casey", 3),
    events.Cancel("o/13", "casey"),
    events.Staffed("o/14", ("casey",), ("dana",), (DAY,), "casey"),
    events.Moved("o/15", "ben", "Asia/Tokyo"),
    events.Seen("o/16", "ben"),
    events.Bounced("o/17", "ben", True),
    events.Corrected("o/18", "ben", "casey"),
)
"""Every event, with everything said that can be said."""

SAID: tuple[Any, ...] = (
    *HAPPENED,
    PostmasterInput(3, PACE),
    CohortInput("spring", PACE),
    CarriedOut([Assessed("a/1", "midpoint", 1, FINDINGS)]),
    DeliverInput(3, AT),
    DeliverResult(1, 2, 3, 4, 5, 6, AT, ["ben"], "451 try later"),
    CohortQuestion("spring", AT),
    Started(7),
    CohortProgress(1, 2, 3),
)

KINDS: dict[str, Any] = EVENTS | {
    kind.__name__: kind
    for kind in (
        State, Batch, MentorshipInput, PostmasterInput, CohortInput, CarriedOut, DeliverInput, DeliverResult,
        CohortQuestion, Started, CohortProgress,
    )
}  # fmt: skip
"""Whatever is written by one version and may be read by another."""


class RecordedSeason(RehearsedSeason):
    """A season that is played by the core alone, and keeps every state and every turn of it as they are written."""

    def __init__(self, loaded: Loaded, behaviour: Behaviour) -> None:
        super().__init__(
            loaded.cohort, loaded.programs, loaded.forms, behaviour, launched_at=launch_moment(loaded),
            script=change_happens,
        )  # fmt: skip
        self.kept: dict[str, list[Any]] = {"State": [], "Batch": []}

    def carry_out(self, running: Running, turn: Batch) -> None:
        """Keep what a worker would write."""
        self.kept["State"].append(written(State, running.state))
        self.kept["Batch"].append(written(Batch, turn))
        super().carry_out(running, turn)


def written(kind: Any, said: Any) -> Any:
    """As it stands in Temporal."""
    return json.loads(adapter(kind).dump_json(said))


@cache
def adapter(kind: Any) -> TypeAdapter[Any]:
    """Writes and reads a kind as the payload converter does."""
    return TypeAdapter(kind)


def samples(folder: Path) -> dict[str, list[Any]]:
    """Name of a kind to samples of it: all that they can say is said in one of them at least."""
    payloads = {type(event).__name__: [written(type(event), event)] for event in SAID}
    loaded, behaviour = load(folder, CASES, "sampled")
    season = RecordedSeason(loaded, behaviour)
    season.play()
    for name, kept in season.kept.items():
        payloads[name] = telling(KINDS[name], kept)
    payloads["MentorshipInput"] = [
        written(
            MentorshipInput,
            MentorshipInput(
                cohort="spring",
                key=key,
                program=numbers_of(running.state.program),
                start=running.state.raw_start,
                zone=running.state.zone,
                launched_on=running.state.launched_on,
                members=running.state.members,
                coordinators=running.state.coordinators,
                deputies=running.state.deputies,
                holidays=list(running.state.holidays),
                pace=PACE,
                state=running.state,
            ),
        )
        for key, running in season.running.items()
        if key in ("life", "life-group")
    ]
    return payloads


def programs(folder: Path) -> list[dict[str, Any]]:
    """How the numbers of every program that is shipped, and of those of the tests, are written for a mentorship, and
    what they stand for. What is default is not written."""
    loaded, _ = load(folder, CASES, "sampled")
    return [
        {"written": numbers_of(program), "meant": program.model_dump(mode="json", exclude=WORDING)}
        for _, program in sorted(loaded.programs.items())
    ]


def telling(kind: Any, said: Iterable[Any]) -> list[Any]:
    """As few of these as say everything that any of them says."""
    left = [(one, set(_says(kind, one))) for one in said]
    unsaid = set[str]().union(*(says for _, says in left))
    chosen: list[Any] = []
    while unsaid:
        one, says = max(left, key=lambda each: len(each[1] & unsaid))
        chosen.append(one)
        unsaid -= says
    return chosen


def bare(kind: Any, said: Any) -> Any:
    """What was written, without everything that has a default: as a version wrote it that did not know of more."""
    known = _fields(kind, said)
    if known is None:
        parts = [bare(part, each) for part, each in _parts(kind, said)]
        if isinstance(said, dict):
            return dict(zip(said, parts, strict=True))
        return parts if isinstance(said, list) else said
    return {name: bare(inner, said[name]) for name, (inner, needed) in known.items() if needed}


def _says(kind: Any, said: Any, where: str = "") -> Iterator[str]:
    """Names of the fields, of any depth, that say anything."""
    known = _fields(kind, said)
    if known is None:
        for part, each in _parts(kind, said):
            yield from _says(part, each, where)
        return
    for name, (inner, _) in known.items():
        if said.get(name) not in (None, "", [], {}, False, 0):  # a field may be left out of what is written
            yield f"{where}.{name}"
            yield from _says(inner, said[name], f"{where}.{name}")


def _fields(kind: Any, said: Any) -> dict[str, tuple[Any, bool]] | None:
    """Of a class of ours: name of a field to its type, and whether it must be written."""
    kind = _plain(kind)
    return _fields_of(kind) if isinstance(kind, type) and isinstance(said, dict) else None


@cache
def _fields_of(kind: type[Any]) -> dict[str, tuple[Any, bool]] | None:
    if issubclass(kind, BaseModel):
        return {name: (field.annotation, field.is_required()) for name, field in kind.model_fields.items()}
    if is_dataclass(kind):
        hints = get_type_hints(kind)
        return {
            field.name: (hints[field.name], field.default is MISSING and field.default_factory is MISSING)
            for field in fields(kind)
        }
    return None


def _parts(kind: Any, said: Any) -> list[tuple[Any, Any]]:
    """What stands in a list or in a dictionary, each with its type."""
    inner = [one for one in get_args(_plain(kind)) if one is not Ellipsis]
    if isinstance(said, list):
        return [(inner[min(n, len(inner) - 1)] if inner else Any, each) for n, each in enumerate(said)]
    return [(inner[-1] if inner else Any, each) for each in said.values()] if isinstance(said, dict) else []


def _plain(kind: Any) -> Any:
    """A type without what may be None, and without remarks."""
    if get_origin(kind) is Annotated:
        return _plain(get_args(kind)[0])
    if get_origin(kind) in (Union, UnionType):
        inner = [one for one in get_args(kind) if one is not NoneType]
        return _plain(inner[0]) if len(inner) == 1 else kind
    return kind
