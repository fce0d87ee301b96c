"""The section `matching:` of a program's file: who can meet whom, and what makes a pair good.

Models only. A field is any question of the application form, or a profile field; whether it exists is checked where
the form is known.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, cast

from pydantic import BeforeValidator, Field, model_validator

from program.base import Id, Model

RuleKind = Literal["different", "same", "above", "within", "overlap", "not_in_line", "not_again"]
ScoreKind = Literal["steps", "equal", "wanted", "shared", "wish"]
Level = Literal["served", "wishes", "score", "worst"]

RULE_KINDS: tuple[RuleKind, ...] = ("different", "same", "above", "within", "overlap", "not_in_line", "not_again")
SCORE_KINDS: tuple[ScoreKind, ...] = ("steps", "equal", "wanted", "shared", "wish")
_BELONGS = {
    "by": "above", "order": "above", "of": "within", "at_least": "overlap", "offered": "wanted", "only_if": "shared",
}  # fmt: skip
_POINTS: dict[ScoreKind, tuple[type, str]] = {
    "steps": (dict, "points: {1: 9, 2: 12}"),
    "equal": (int, "points: 10"),
    "wanted": (tuple, "points: [12, 8, 5]"),
    "shared": (int, "points: 6"),
    "wish": (tuple, "points: [30, 20, 10]"),
}
WISHES_AT_MOST = 3

Points = int | tuple[int, ...] | dict[int, int]


def _whole(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError(f"`{value}` is no number of points; write a whole number of 0 or more, such as 10")
    return value


def _points(value: object) -> Points:
    if isinstance(value, list | tuple):
        return tuple(_whole(entry) for entry in cast("list[object]", value))
    if isinstance(value, dict):
        steps = cast("dict[object, object]", value)
        if not all(re.fullmatch(r"-?\d{1,3}", str(step)) for step in steps):
            raise ValueError("points for steps are numbered by the step; write `points: {1: 9, 2: 12}`")
        return {int(str(step)): _whole(entry) for step, entry in steps.items()}
    return _whole(value)


class Tag(Model):
    """One word of the vocabulary for what people want and offer."""

    tag: Id
    """The word as it is compared."""
    label: str
    """The word as people read it."""
    also: tuple[str, ...] = ()
    """Other spellings of the same."""


def _one_of(model: Model, kinds: tuple[str, ...], what: str) -> str:
    named = [kind for kind in kinds if getattr(model, kind) is not None]
    if len(named) != 1:
        several = f"names {' and '.join(f'`{kind}`' for kind in named)}" if named else "says nothing"
        raise ValueError(f"this {what} {several}; write one of {', '.join(kinds)}")
    for option, kind in _BELONGS.items():
        if getattr(model, option, None) is not None and kind != named[0]:
            raise ValueError(f"`{option}` goes with `{kind}`, not with `{named[0]}`; remove it")
    return named[0]


class Rule(Model):
    """A hard rule: a pair that breaks it is never made. Exactly one of RULE_KINDS is given."""

    different: str | None = None
    """A field in which the two have no value in common."""
    same: str | None = None
    """A field in which they have a value in common."""
    above: str | None = None
    """A field in whose `order` the mentor stands above the mentee."""
    by: tuple[int, ...] | None = None
    """With `above`: the mentor stands above the mentee by one of these steps."""
    order: tuple[str, ...] | None = None
    """With `above`: all values of the field, lowest first."""
    within: str | None = None
    """A field of which both have one of the values in `of`."""
    of: tuple[str, ...] | None = None
    """With `within`: the values that are allowed."""
    overlap: str | None = None
    """A field of half-days, such as `mon_am`, some of which are common to both."""
    at_least: int | None = Field(default=None, ge=1)
    """With `overlap`: half-days in common; 1 where it is left out."""
    not_in_line: str | None = None
    """A field that names somebody's manager: neither reports to the other, at any depth."""
    not_again: bool | None = None
    """The two have not been together before, and neither excludes the other."""

    @model_validator(mode="after")
    def _is_one_rule(self) -> Rule:
        kind = _one_of(self, RULE_KINDS, "rule")
        if kind == "above":
            if self.order is None or self.by is None:
                missing = "order" if self.order is None else "by"
                example = "order: [junior, senior]" if missing == "order" else "by: [1, 2]"
                raise ValueError(f"`above` needs `{missing}`; write `{example}`")
            if len(set(self.order)) != len(self.order) or len(self.order) < 2:
                raise ValueError("`order` names each value once, lowest first; write at least two")
            if not self.by or any(step == 0 for step in self.by):
                raise ValueError("`by` names the steps between the two; write `by: [1, 2]`")
        if kind == "within" and not self.of:
            raise ValueError("`within` needs the values that are allowed; write `of: [Berlin, Leipzig]`")
        if self.not_again is False:
            raise ValueError("`not_again: false` is no rule; remove it, or write `not_again: true`")
        return self

    @property
    def kind(self) -> RuleKind:
        """Which of the rules this is."""
        return next(kind for kind in RULE_KINDS if getattr(self, kind) is not None)

    @property
    def field(self) -> str:
        """The field that it reads; empty for `not_again`."""
        return "" if self.kind == "not_again" else cast("str", getattr(self, self.kind))


class Score(Model):
    """A soft rule: what a pair gets points for. Exactly one of SCORE_KINDS is given. Points are whole numbers."""

    steps: str | None = None
    """A field with an `above` rule: points for each number of steps."""
    equal: str | None = None
    """A field in which they have a value in common."""
    wanted: str | None = None
    """A field of ranked tags of the mentee: points for the first, second, third that is offered."""
    offered: str | None = None
    """With `wanted`: the field of the mentor."""
    shared: str | None = None
    """As `equal`, for what people may not want to be compared by."""
    only_if: str | None = None
    """With `shared`: a yes-or-no field of the mentee; without a yes, nothing is compared."""
    wish: Literal["mentee", "mentor"] | None = None
    """Whose wishes: points for the first, second, third."""
    points: Annotated[Any, BeforeValidator(_points)]
    """Whole numbers, in the form that belongs to the score."""

    @model_validator(mode="after")
    def _is_one_score(self) -> Score:
        kind = cast("ScoreKind", _one_of(self, SCORE_KINDS, "score"))
        wanted, example = _POINTS[kind]
        if not isinstance(self.points, wanted) or not (self.points or wanted is int):
            raise ValueError(f"the points of `{kind}` have another form; write `{example}`")
        if kind == "wanted" and self.offered is None:
            raise ValueError("`wanted` is compared with what somebody offers; write `offered:` and the field")
        if kind == "wish" and len(self.points) > WISHES_AT_MOST:
            raise ValueError(f"at most {WISHES_AT_MOST} wishes are ranked; write `{example}`")
        return self

    @property
    def kind(self) -> ScoreKind:
        """Which of the scores this is."""
        return next(kind for kind in SCORE_KINDS if getattr(self, kind) is not None)

    @property
    def field(self) -> str:
        """The field of the mentee that it reads; empty for `wish`."""
        return "" if self.kind == "wish" else cast("str", getattr(self, self.kind))


class Capacity(Model):
    """How many mentees a mentor can have."""

    mentor_at_most: int = Field(default=3, ge=1, le=50)
    """At most so many, whatever somebody offers."""


class Groups(Model):
    """Format `group`: a mentor has no mentee, or from `least` to `most`."""

    least: int = Field(default=3, ge=2, le=50)
    """Mentees in a group at least."""
    most: int = Field(default=6, ge=2, le=50)
    """Mentees in a group at most."""

    @model_validator(mode="after")
    def _in_order(self) -> Groups:
        if self.least > self.most:
            raise ValueError("a group can't have more people at least than at most; write `{least: 3, most: 6}`")
        return self


THREE_PEERS = Groups(least=2, most=3)
"""In a program of peers: two meet, or three where the number of people is odd."""


class Matching(Model):
    """How people of a program are matched: rules, scores, and what counts first."""

    tags: tuple[Tag, ...] = ()
    """One vocabulary for what people want and offer."""
    rules: tuple[Rule, ...] = ()
    """Hard rules: a pair that breaks one is never made."""
    score: tuple[Score, ...] = ()
    """What a pair gets points for."""
    objective: tuple[Level, ...] = ("served", "score", "worst")
    """What counts first; a later level never costs an earlier one."""
    capacity: Capacity = Capacity()
    """How many mentees a mentor can have."""
    groups: Groups = Groups()
    """How large a group is. Used by the format `group`; and peers of whom an odd number is left can be three where it
    is THREE_PEERS."""

    @model_validator(mode="after")
    def _fits_together(self) -> Matching:
        if len(set(self.objective)) != len(self.objective):
            raise ValueError("`objective` names each level once; write `objective: [served, score, worst]`")
        if not self.objective or self.objective[0] != "served":
            raise ValueError("`objective` begins with `served`; write `objective: [served, score, worst]`")
        for score in self.score:
            if score.kind == "steps" and self.order_of(score.field) is None:
                raise ValueError(
                    f"`steps: {score.field}` has no order to count in; "
                    f"write a rule `{{above: {score.field}, by: [1, 2], order: [ … ]}}`"
                )
        spellings: dict[str, str] = {}
        for tag in self.tags:
            for spelling in (tag.tag, tag.label, *tag.also):
                if spellings.setdefault(spelling.casefold(), tag.tag) != tag.tag:
                    raise ValueError(f"`{spelling}` stands for two tags; write it at one of them")
        return self

    @property
    def three_peers(self) -> bool:
        """Whether, in a program of peers, three can form a group where the number is odd."""
        return self.groups == THREE_PEERS

    def order_of(self, field: str) -> tuple[str, ...] | None:
        """The values of a field, lowest first, as its `above` rule names them."""
        return next((rule.order for rule in self.rules if rule.kind == "above" and rule.field == field), None)
