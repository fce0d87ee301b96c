"""The goals of the agreement on the pages that ask about them: each stands there by its title, and nobody types it
again.

Decides which goals stand on a page and under which number; reads and writes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from operations.forms.parse import Typed, entries, goals_typed, most_entries
from program.forms import Question
from program.goals import FOLLOWED, GOAL_ID, Goal

Placed = Mapping[str, Sequence[Goal]]
"""Group to the goals that stand in it, in the order of its entries."""


def with_goals(
    questions: Sequence[Question], typed: Typed, in_force: Sequence[Goal], titles: Mapping[str, str]
) -> tuple[Typed, Placed]:
    """The fields with an entry for each goal, and which goals these are.

    On the page stand the goals of the agreement in force, and those about which something was typed. A page on which
    somebody named goals of their own, before there was an agreement, stays as it is. `titles` is goal id to title.
    """
    placed: dict[str, list[Goal]] = {}
    for question in questions:
        if question.type != "group" or question.id not in FOLLOWED:
            continue
        about = goals_typed(question, typed, titles)
        filled = entries(question, typed)
        if filled and not about:
            continue
        known = [Goal(id_, titles[id_]) for id_ in about.values() if id_ not in {goal.id for goal in in_force}]
        goals = [*in_force, *known][: most_entries(question)]
        if goals:
            typed = _placed(question, typed, goals, {id_: index for index, id_ in about.items()})
            placed[question.id] = goals
    return typed, placed


def _placed(question: Question, typed: Typed, goals: Sequence[Goal], before: Mapping[str, int]) -> Typed:
    """The fields of the group, each entry under the number of its goal."""
    moved = {name: values for name, values in typed.items() if name.partition(".")[0] != question.id}
    for index, goal in enumerate(goals):
        old = f"{question.id}.{before.get(goal.id)}."
        for name, values in typed.items():
            if name.startswith(old):
                moved[f"{question.id}.{index}.{name.removeprefix(old)}"] = values
        moved[f"{question.id}.{index}.{GOAL_ID}"] = [goal.id]
    return moved
