"""The pairs of a pool as a coordinator reads them: who with whom, why, what else would cost, and who has nobody.

Plain values, the same for the screen, JSON, the page in a file and the coordinators' pages. Names are not in it, only
ids; a shared identity counts, and is never written out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from matching.applicants import Applicant, Tags, half_days, half_days_in_common
from matching.candidates import Candidates, folded
from matching.fairness import Group
from matching.objective import Totals
from matching.scoring import Part
from operations.matching.pool import Pool
from operations.spreadsheet import as_csv
from program.files.people import PAIR_COLUMNS
from program.matching import Rule


@dataclass(frozen=True, slots=True)
class Shared:
    """What two people have in common: a field and the values, or how many half-days."""

    field: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RunnerUp:
    """Somebody else for one side of a pair, and what that would cost, in words."""

    id: str
    price: str


@dataclass(frozen=True, slots=True)
class BoardPair:
    """One pair. In a program of peers, `mentor` and `mentee` are the two peers."""

    mentor: str
    mentee: str
    score: int
    parts: tuple[Part, ...]
    shares: tuple[Shared, ...]
    pinned: bool = False
    inevitable: bool | None = None
    """Whether the pair stands in every optimum; None where that is not known."""
    equally_good: int | None = None
    """How many other mentors would be equally good for the mentee."""
    for_mentee: tuple[RunnerUp, ...] = ()
    """Other mentors for the mentee, the best first."""
    for_mentor: tuple[RunnerUp, ...] = ()
    """Other mentees for the mentor, the best first."""
    slot: str = ""
    """In a group: a half-day of the mentor in which all can meet."""
    three: tuple[str, ...] = ()
    """In a group of three peers: the three, of whom each is in a pair with both others."""

    @property
    def because(self) -> tuple[str, ...]:
        """Why these two, in words that both may read: what they share, not who wished for whom."""
        return tuple(part.words for part in self.parts if part.kind != "wish" and part.kind != "shared")


@dataclass(frozen=True, slots=True)
class Nobody:
    """Somebody without a mentor, group or partner."""

    id: str
    why: str
    """For coordinators."""
    line: str
    """For the person: true, and about themselves only."""
    short: bool
    """Whether there are too few places; otherwise nobody passes the rules."""


@dataclass(frozen=True, slots=True)
class Fared:
    """How the people of one value of an attribute fared."""

    field: str
    value: str
    people: int
    served: int
    median: int | None
    warning: str
    """Where they fare worse than all, and one rule alone explains it."""


@dataclass(frozen=True)
class Other:
    """Another mentor, mentee or partner for somebody, and what that would cost."""

    id: str
    score: int
    price: str
    moves: tuple[str, ...]


@dataclass(frozen=True)
class Board:
    """Everything that matching found."""

    title: str
    format: str
    totals: Totals
    of: int
    """How many mentees (or peers) there are."""
    pairs: tuple[BoardPair, ...]
    nobody: tuple[Nobody, ...]
    free: tuple[tuple[str, int], ...]
    """(mentor, free places)."""
    helps: tuple[str, ...] = ()
    """What more mentors would bring, the best first."""
    fairness: tuple[Fared, ...] = ()
    notes: tuple[str, ...] = ()
    """What else must be known: a level that is not proven, or that no pair passes the rules at all."""
    warnings: tuple[str, ...] = field(default=())

    def as_object(self) -> dict[str, Any]:
        """The board for `--json`: ids, points and words."""
        totals = self.totals
        return {
            "format": self.format,
            "people": self.of,
            "served": totals.served,
            "score": totals.score,
            "worst": totals.worst,
            "wishes": list(totals.wishes),
            "pairs": [
                {
                    "mentor": pair.mentor,
                    "mentee": pair.mentee,
                    "score": pair.score,
                    "parts": [{"points": part.points, "words": part.words} for part in pair.parts],
                    "shares": {shared.field: list(shared.values) for shared in pair.shares},
                    "pinned": pair.pinned,
                    "inevitable": pair.inevitable,
                    "equally_good": pair.equally_good,
                    "for_mentee": [asdict(one) for one in pair.for_mentee],
                    "for_mentor": [asdict(one) for one in pair.for_mentor],
                    "slot": pair.slot,
                    "three": list(pair.three),
                }
                for pair in self.pairs
            ],
            "nobody": [{"mentee": one.id, "why": one.why, "line": one.line} for one in self.nobody],
            "free": [{"mentor": mentor, "places": places} for mentor, places in self.free],
            "what_would_help": list(self.helps),
            "fairness": [asdict(one) for one in self.fairness],
            "notes": list(self.notes),
        }


# -- in words -------------------------------------------------------------------------------------------------------


def price_in_words(changes: Mapping[str, int], what: str = "a mentor") -> str:
    """A price as a coordinator reads it: the first level that changes. What comes below it is not compared.

    `changes`: level to how much less, in the order of the objective.
    """
    for name, less in changes.items():
        if name == "served":
            return f"one person fewer would have {what}" if less == 1 else f"{less} people fewer would have {what}"
        if name.startswith("wish_"):
            rank = {"1": "first", "2": "second", "3": "third"}[name[-1]]
            return f"{less} {rank} wish{'es' if less != 1 else ''} fewer"
        points = f"{less} point{'s' if less != 1 else ''} less"
        return f"the weakest pair would have {points}" if name == "worst" else points
    return "equally good"


def rule_in_words(rule: Rule) -> str:
    """A rule as it is written in the program."""
    return f"`{rule.kind}{': ' + rule.field if rule.field else ''}`"


def fared(groups: Iterable[Group]) -> Iterator[Fared]:
    """How groups fared, with a warning where one rule alone explains that fewer are served."""
    for group in groups:
        warning = f"fewer are served than of all; {rule_in_words(group.rule)} alone explains it" if group.rule else ""
        yield Fared(group.field, group.value, group.people, group.served, group.median, warning)


def described(values: Mapping[str, Sequence[str]]) -> str:
    """People by their attributes."""
    return "; ".join(f"{name} {' or '.join(of)}" for name, of in values.items() if of) or "any kind"


_LINES = {
    "different": "Everybody who offered a place this time shares your {field}, and this program matches across it.",
    "same": "Nobody who offered a place this time shares your {field}.",
    "above": "Nobody who offered a place this time is the right number of steps away from your {field}.",
    "within": "Nobody who offered a place this time fits your {field}.",
    "overlap": "Nobody who offered a place this time is free when you are.",
    "not_in_line": "Everybody who offered a place this time stands in your own line.",
    "not_again": "Nobody who offered a place this time would be new to you.",
}


def line_for(rules: Sequence[Rule], *, alone: bool, short: bool) -> str:
    """Why somebody has nobody, for themselves. `short`: there are too few places; else no candidate is left."""
    if short:
        return (
            "More people asked than there are places with somebody who fits. It says nothing about your application."
        )
    if alone and rules:
        return _LINES[rules[0].kind].format(field=rules[0].field.replace("_", " "))
    return "Nobody who offered a place this time fits all that you wrote."


def shared_by(pool: Pool, mentee: Applicant, mentor: Applicant, tags: Tags) -> tuple[Shared, ...]:
    """What two people share of what rules and scores read; never an identity, and no names of managers."""
    matching = pool.matching
    names = [rule.field for rule in matching.rules if rule.kind in ("same", "within")]
    names += [score.field for score in matching.score if score.kind == "equal"]
    found: list[Shared] = []
    for name in dict.fromkeys(names):
        others = set(folded(mentor, name))
        common = tuple(value for value in mentee.values(name) if value.casefold() in others)
        if common:
            found.append(Shared(name, common))
    for score in matching.score:
        if score.kind == "wanted":
            offered = tags.of(mentor.values(score.offered or ""))
            common = tuple(tags.label(tag) for tag in tags.of(mentee.values(score.field)) if tag in offered)
            if common:
                found.append(Shared(score.field, common))
    for rule in matching.rules:
        if rule.kind == "overlap":
            count = half_days_in_common(*(half_days(one, rule.field, pool.start) for one in (mentee, mentor)))
            if count:
                found.append(Shared(rule.field, (f"{count} half-day{'s' if count != 1 else ''}",)))
    return tuple(found)


def no_pair_at_all(found: Candidates) -> tuple[str, ...]:
    """A note where not one pair passes the rules: which rule forbids how many, the most first."""
    total = len(found.mentees) * len(found.mentors)
    if not total or any(found.of):
        return ()
    forbids = [
        (sum(len(found.mentors) - masks[number].bit_count() for masks in found.masks), rule_in_words(rule))
        for number, rule in enumerate(found.matching.rules)
    ]
    worst = ", ".join(
        f"{rule} forbids {count:,}" for count, rule in sorted(forbids, key=lambda one: -one[0]) if count
    )
    return (f"no pair passes the rules; of {total:,} pairs {worst or 'all exclude each other'}",)


def no_candidate(rules: Sequence[Rule], *, alone: bool) -> str:
    """Why somebody has no candidate, for coordinators. `alone`: each of the rules is enough."""
    if not rules:
        return "everybody is excluded by one of the two, or banned"
    return f"nobody passes {', '.join(map(rule_in_words, rules))}" + ("" if alone else " together")


def pairs_csv(rows: Iterable[tuple[str, str, str]]) -> str:
    """Rows of (mentor, mentees, peers) as the file that `pairs:` of a cohort names: one for each mentorship."""
    numbered = enumerate(rows, 1)
    return as_csv(PAIR_COLUMNS, [(f"m{number:02}", "", *row, "") for number, row in numbered], ",")
