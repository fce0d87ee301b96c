"""Whether some kinds of people fare worse: served share and median score by attribute, for groups of at least five.

Only by attributes that people agreed to be compared by. Whole numbers only: counts and a median, no percentage.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median_low

from matching.objective import Result
from program.matching import Rule

SMALLEST_GROUP = 5


@dataclass(frozen=True, slots=True)
class Group:
    """The mentees of one value of an attribute. `median`: of the scores of those who are served; None without any."""

    field: str
    value: str
    people: int
    served: int
    median: int | None
    rule: Rule | None = None
    """A rule that alone leaves most of the unserved without any candidate, where the group fares worse than all."""


def fairness(result: Result, fields: Sequence[str]) -> tuple[Group, ...]:
    """The groups of each field, in the order of fields and values; smaller ones than five are left out."""
    candidates = result.candidates
    scores = {mentee: result.score_of(mentee, mentor) for mentee, mentor in result.pairs}
    total = len(candidates.mentees)
    found: list[Group] = []
    for name in fields:
        members: dict[str, list[int]] = {}
        for mentee, person in enumerate(candidates.mentees):
            for value in person.values(name):
                members.setdefault(value, []).append(mentee)
        for value, people in sorted(members.items()):
            if len(people) < SMALLEST_GROUP:
                continue
            served = [scores[mentee] for mentee in people if mentee in scores]
            # Fewer of them than of all, compared without a fraction.
            worse = len(served) * total < len(scores) * len(people)
            rule = _one_rule(result, [mentee for mentee in people if mentee not in scores]) if worse else None
            median = median_low(served) if served else None
            found.append(Group(name, value, len(people), len(served), median, rule))
    return tuple(found)


def _one_rule(result: Result, unserved: Sequence[int]) -> Rule | None:
    alone = [result.candidates.without(mentee) for mentee in unserved]
    for rule in result.candidates.matching.rules:
        if 2 * sum(rule in rules for rules in alone) > len(unserved):
            return rule
    return None
