"""Goals that flow through the forms: each goal of an agreement has an id, and the midpoint and the closure ask about
it by that id, so that a report can join the three.

An answer about a goal holds its id and never its words: they stand in the agreement alone, and go with it when
somebody is erased. Pure functions over what the tables hold.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from program.forms import Answers, Question

AGREED = "a_goals"
"""The group of an agreement whose entries are goals."""
FOLLOWED = ("r_goals", "c_goals")
"""The groups that ask about each agreed goal."""
GOAL_ID = "goal_id"
"""Key of an entry: which goal it is. No field of these groups can be called so."""
TITLE = "what"
"""The field of an agreed goal that is its title."""
WHOSE = "whose"
"""The field of an agreed goal that says whose it is; peers have one."""
NAME = "goal"
"""The field in which somebody names a goal where none was agreed."""
WORDS_GONE = "A goal whose words were erased"

_ID = re.compile(r"g([1-9]\d{0,3})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Goal:
    """An agreed goal."""

    id: str
    title: str


def _entries(body: Mapping[str, Any], question: str) -> list[dict[str, Any]]:
    value = body.get(question)
    if not isinstance(value, list):
        return []
    return [cast("dict[str, Any]", entry) for entry in cast("list[object]", value) if isinstance(entry, dict)]


def goals_of(body: Mapping[str, Any]) -> tuple[Goal, ...]:
    """The goals in a version of an agreement. One that was written before goals had ids is known by its place."""
    goals: list[Goal] = []
    for place, entry in enumerate(_entries(body, AGREED), 1):
        whose = str(entry.get(WHOSE, ""))
        title = str(entry.get(TITLE, ""))
        goals.append(Goal(str(entry.get(GOAL_ID) or f"g{place}"), f"{title} ({whose})" if whose and title else title))
    return tuple(goals)


def titles_of(versions: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Goal id to its title in the latest of these versions (oldest first) that has it."""
    return {goal.id: goal.title for body in versions for goal in goals_of(body)}


def identified(body: Answers) -> Answers:
    """A version of an agreement with the id of each goal in it, also where it was written before goals had ids."""
    if AGREED not in body:
        return body
    goals = goals_of(body)
    return {
        **body,
        AGREED: [{**e, GOAL_ID: goal.id} for e, goal in zip(_entries(body, AGREED), goals, strict=True)],
    }


def with_ids(body: Answers, versions: Sequence[Mapping[str, Any]]) -> Answers:
    """A new version of an agreement, each goal with its id: that of an earlier version (oldest first) or the next."""
    if AGREED not in body:
        return body
    known = {goal.id for version in versions for goal in goals_of(version)}
    last = max((int(found[1]) for id_ in known if (found := _ID.fullmatch(id_))), default=0)
    used: set[str] = set()
    entries: list[dict[str, Any]] = []
    for entry in _entries(body, AGREED):
        id_ = str(entry.get(GOAL_ID, ""))
        if id_ not in known or id_ in used:
            last += 1
            id_ = f"g{last}"
        used.add(id_)
        entries.append({**entry, GOAL_ID: id_})
    return {**body, AGREED: entries}


def without_ids(body: Answers) -> Answers:
    """What was written of the goals of an agreement, to compare two of the same."""
    if AGREED not in body:
        return body
    entries = _entries(body, AGREED)
    return {**body, AGREED: [{name: value for name, value in e.items() if name != GOAL_ID} for e in entries]}


def named(body: Answers, titles: Mapping[str, str]) -> Answers:
    """Answers about goals with the titles of the goals, to be read; `titles` is goal id to title."""
    found = dict(body)
    for question in FOLLOWED:
        if question in body:
            found[question] = [
                {**entry, NAME: titles.get(str(entry[GOAL_ID])) or WORDS_GONE} if GOAL_ID in entry else entry
                for entry in _entries(body, question)
            ]
    return found


def about_agreed(question: Question) -> Question:
    """The question about goals that are named already: nobody types their names."""
    return question.model_copy(update={"fields": tuple(field for field in question.fields if field.id != NAME)})
