"""Whether some kinds of people fare worse: served share and median score by attribute, for groups of at least five.

Only by attributes that people agreed to be compared by. Whole numbers only: counts and a median, no percentage.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median_low

from matching.candidates import Candidates
from matching.objective import Result
from program.matching import Matching, Rule

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


def attributes(matching: Matching) -> dict[str, str | None]:
    """The fields by which people are compared, each with the yes-or-no field that says whether somebody agreed.

    What hard rules read of a person, and what `equal` scores: everybody knows that these count. What `shared` scores,
    only for those who asked for it; without `only_if` nobody was asked, and nobody is compared.
    """
    found: dict[str, str | None] = {
        rule.field: None for rule in matching.rules if rule.kind in ("different", "same", "above", "within")
    }
    found |= {score.field: None for score in matching.score if score.kind == "equal"}
    found |= {score.field: score.only_if for score in matching.score if score.kind == "shared" and score.only_if}
    return found


def fairness(result: Result, fields: Mapping[str, str | None]) -> tuple[Group, ...]:
    """The groups of each field of pairs of mentor and mentee. `fields`: as of `attributes`."""
    scores = {mentee: result.score_of(mentee, mentor) for mentee, mentor in result.pairs}
    return fairness_of(result.candidates, scores, fields)


def fairness_of(
    candidates: Candidates,
    scores: Mapping[int, int],
    fields: Mapping[str, str | None],
    without: Callable[[int], tuple[Rule, ...]] | None = None,
) -> tuple[Group, ...]:
    """The groups of each field, in the order of fields and values; smaller ones than five are left out.

    `scores`: of each who is served, the points. `fields`: as of `attributes`. `without`: the rules each of which
    alone leaves somebody without a candidate, where `Candidates.without` does not say it.
    """
    alone = without or candidates.without
    total = len(candidates.mentees)
    found: list[Group] = []
    for name, agreed in fields.items():
        members: dict[str, list[int]] = {}
        for mentee, person in enumerate(candidates.mentees):
            for value in person.values(name) if agreed is None or person.says_yes(agreed) else ():
                members.setdefault(value, []).append(mentee)
        for value, people in sorted(members.items()):
            if len(people) < SMALLEST_GROUP:
                continue
            served = [scores[mentee] for mentee in people if mentee in scores]
            # Fewer of them than of all, compared without a fraction.
            worse = len(served) * total < len(scores) * len(people)
            rule = (
                _one_rule(candidates, [alone(mentee) for mentee in people if mentee not in scores]) if worse else None
            )
            median = median_low(served) if served else None
            found.append(Group(name, value, len(people), len(served), median, rule))
    return tuple(found)


def _one_rule(candidates: Candidates, alone: Sequence[Sequence[Rule]]) -> Rule | None:
    for rule in candidates.matching.rules:
        if 2 * sum(rule in rules for rules in alone) > len(alone):
            return rule
    return None
