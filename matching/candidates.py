"""The hard rules: which pairs can be made at all, and which rule forbids a pair that can't.

Each rule gives a mask of mentors for a mentee, so that a rule costs one operation for each of the mentee's values
instead of one for each pair.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import assert_never

from matching.applicants import Applicant, half_days, half_days_in_common
from program.matching import Matching, Rule

Masks = dict[str, int]
"""Value to the mentors who have it, one bit for each."""


class ReportingCircle(ValueError):
    """Some people report to each other in a circle. `people` are their ids, in the order of the circle."""

    def __init__(self, people: Sequence[str]) -> None:
        super().__init__(f"these people report to each other in a circle: {' → '.join(people)}")
        self.people = tuple(people)


class UnknownStep(ValueError):
    """Somebody has a value that the `order` of a rule does not name."""

    def __init__(self, person: str, name: str, value: str) -> None:
        super().__init__(f"{person}: {value!r} is not in the order of {name!r}")
        self.person, self.field, self.value = person, name, value


@dataclass(frozen=True)
class Candidates:
    """The pairs that break no rule. Mentees and mentors are sorted by id; `of[i]` are the mentors of mentee i."""

    matching: Matching
    mentees: tuple[Applicant, ...]
    mentors: tuple[Applicant, ...]
    of: tuple[tuple[int, ...], ...]
    masks: tuple[tuple[int, ...], ...] = field(repr=False)
    """For each mentee, for each rule, the mentors whom the rule allows."""

    @cached_property
    def both(self) -> frozenset[str]:
        """Ids of those who would be mentor and mentee."""
        return frozenset(one.id for one in self.mentees) & frozenset(one.id for one in self.mentors)

    def forbidden_by(self, mentee: int, mentor: int) -> tuple[Rule, ...]:
        """The rules that forbid this pair."""
        return tuple(
            rule for rule, mask in zip(self.matching.rules, self.masks[mentee], strict=True) if not mask >> mentor & 1
        )

    def without(self, mentee: int) -> tuple[Rule, ...]:
        """The rules each of which alone leaves this mentee without a candidate; empty where there is one."""
        if self.of[mentee]:
            return ()
        others = (1 << len(self.mentors)) - 1 & ~self._own.get(self.mentees[mentee].id, 0)
        pairs = zip(self.matching.rules, self.masks[mentee], strict=True)
        return tuple(rule for rule, mask in pairs if not mask & others)

    @cached_property
    def _own(self) -> dict[str, int]:
        """Mentor's id to the bit that stands for them."""
        return {mentor.id: 1 << index for index, mentor in enumerate(self.mentors)}


def candidates(people: Sequence[Applicant], matching: Matching, on: date) -> Candidates:
    """Every pair of a mentee and a mentor that breaks no rule. `on`: the date on which the cohort starts.

    Nobody is their own mentor, and people who must not meet (`not_with`) never do. Raises ReportingCircle and
    UnknownStep.
    """
    mentees = tuple(sorted((one for one in people if one.mentee), key=lambda one: one.id))
    mentors = tuple(sorted((one for one in people if one.mentor and one.capacity > 0), key=lambda one: one.id))
    rules = [_allowed_by(rule, people, mentors, on) for rule in matching.rules]
    place = {mentor.id: index for index, mentor in enumerate(mentors)}
    everybody = (1 << len(mentors)) - 1
    shunned_by: dict[str, int] = {}
    for index, mentor in enumerate(mentors):
        for id_ in mentor.not_with:
            shunned_by[id_] = shunned_by.get(id_, 0) | 1 << index
    found: list[tuple[int, ...]] = []
    masks: list[tuple[int, ...]] = []
    for mentee in mentees:
        allowed = everybody & ~shunned_by.get(mentee.id, 0)
        for id_ in (mentee.id, *mentee.not_with):
            if id_ in place:
                allowed &= ~(1 << place[id_])
        by_rule: list[int] = []
        for rule, allows in zip(matching.rules, rules, strict=True):
            # Half-days are compared pair by pair: only for those whom the rules before have left.
            mask = allows(mentee, allowed if rule.kind == "overlap" else everybody)
            by_rule.append(mask if rule.kind != "overlap" else mask | (everybody & ~allowed))
            allowed &= mask
        masks.append(tuple(by_rule))
        found.append(_bits(allowed))
    return Candidates(matching, mentees, mentors, tuple(found), tuple(masks))


def _bits(mask: int) -> tuple[int, ...]:
    found: list[int] = []
    while mask:
        lowest = mask & -mask
        found.append(lowest.bit_length() - 1)
        mask ^= lowest
    return tuple(found)


Allows = Callable[[Applicant, int], int]
"""The mentors whom a rule allows a mentee; the second argument says among whom it is asked."""


def _allowed_by(rule: Rule, people: Sequence[Applicant], mentors: Sequence[Applicant], on: date) -> Allows:
    name = rule.field
    everybody = (1 << len(mentors)) - 1
    match rule.kind:
        case "different":
            having = _having(mentors, name)
            return lambda mentee, _: everybody & ~_any(having, folded(mentee, name))
        case "same":
            having = _having(mentors, name)
            return lambda mentee, _: _any(having, folded(mentee, name))
        case "above":
            return _above(rule, people, mentors)
        case "within":
            allowed = frozenset(value.casefold() for value in rule.of or ())
            inside = _any(_having(mentors, name), allowed)
            return lambda mentee, _: 0 if allowed.isdisjoint(folded(mentee, name)) else inside
        case "overlap":
            return _overlap(rule, mentors, on)
        case "not_in_line":
            return _not_in_line(name, people, mentors)
        case "not_again":
            return _not_again(mentors)
        case _:
            assert_never(rule.kind)


def folded(person: Applicant, name: str) -> tuple[str, ...]:
    """The values of a field as they are compared: case never matters."""
    return tuple(value.casefold() for value in person.values(name))


def _having(mentors: Sequence[Applicant], name: str) -> Masks:
    found: Masks = {}
    for index, mentor in enumerate(mentors):
        for value in folded(mentor, name):
            found[value] = found.get(value, 0) | 1 << index
    return found


def _any(having: Masks, values: Sequence[str] | frozenset[str]) -> int:
    mask = 0
    for value in values:
        mask |= having.get(value, 0)
    return mask


def step_of(person: Applicant, name: str, order: Sequence[str]) -> int | None:
    """Where somebody stands in an order, from 0; None without a value. Raises UnknownStep."""
    for value in person.values(name):
        if value not in order:
            raise UnknownStep(person.id, name, value)
        return order.index(value)
    return None


def _above(rule: Rule, people: Sequence[Applicant], mentors: Sequence[Applicant]) -> Allows:
    order, by = rule.order or (), rule.by or ()
    for person in people:
        step_of(person, rule.field, order)
    having = _having(mentors, rule.field)

    def allows(mentee: Applicant, _: int) -> int:
        step = step_of(mentee, rule.field, order)
        if step is None:
            return 0
        return _any(having, [order[step + more].casefold() for more in by if 0 <= step + more < len(order)])

    return allows


def _overlap(rule: Rule, mentors: Sequence[Applicant], on: date) -> Allows:
    at_least = rule.at_least or 1
    theirs = [half_days(mentor, rule.field, on) for mentor in mentors]
    known: dict[tuple[tuple[int, ...], tuple[int, ...]], bool] = {}

    def allows(mentee: Applicant, among: int) -> int:
        own = half_days(mentee, rule.field, on)
        mask = 0
        for index in _bits(among):
            pair = (own, theirs[index])
            enough = known.get(pair)
            if enough is None:
                enough = known[pair] = half_days_in_common(*pair) >= at_least
            mask |= enough << index
        return mask

    return allows


def _not_again(mentors: Sequence[Applicant]) -> Allows:
    """Nobody whom they had, and nobody whom one of the two excludes."""
    everybody = (1 << len(mentors)) - 1
    own = {mentor.id: 1 << index for index, mentor in enumerate(mentors)}
    shunning: Masks = {}
    for mentor in mentors:
        for id_ in mentor.had | mentor.not_with:
            shunning[id_] = shunning.get(id_, 0) | own[mentor.id]

    def allows(mentee: Applicant, _: int) -> int:
        return everybody & ~(shunning.get(mentee.id, 0) | _any(own, mentee.had | mentee.not_with))

    return allows


def _not_in_line(name: str, people: Sequence[Applicant], mentors: Sequence[Applicant]) -> Allows:
    """Neither stands in the other's line, at any depth."""
    known = {key.casefold(): person.id for person in people for key in (person.id, *person.values("email"))}
    above = {
        person.id: known.get(value.casefold(), value.casefold())
        for person in people
        for value in person.values(name)[:1]
    }
    lines = {person.id: _line(person.id, above) for person in people}
    everybody = (1 << len(mentors)) - 1
    reporting: Masks = {}
    for index, mentor in enumerate(mentors):
        for boss in lines[mentor.id]:
            reporting[boss] = reporting.get(boss, 0) | 1 << index
    own = {mentor.id: 1 << index for index, mentor in enumerate(mentors)}

    def allows(mentee: Applicant, _: int) -> int:
        below = reporting.get(mentee.id, 0)
        return everybody & ~(below | _any(own, lines[mentee.id]))

    return allows


def _line(person: str, above: dict[str, str]) -> tuple[str, ...]:
    line: list[str] = []
    here = above.get(person)
    while here is not None:
        if here == person or here in line:
            circle = [person, *line]
            raise ReportingCircle([*circle[circle.index(here) :], here])
        line.append(here)
        here = above.get(here)
    return tuple(line)
