"""What a pair gets points for. Each part can be shown in words; their sum is the score of the pair."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import assert_never

from matching.applicants import Applicant, Tags
from matching.candidates import Candidates, step_of
from program.matching import Matching, Score, ScoreKind

RANKS = ("first", "second", "third")


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a pair's score: how many points, and for what, in words about neither person by name."""

    points: int
    words: str
    kind: str
    field: str = ""


Values = tuple[str, ...]
Counts = Callable[[Applicant, Applicant], int]
"""Points that a mentee and a mentor get by one score."""


@dataclass(frozen=True)
class Scores:
    """The scores of a program over its candidates."""

    candidates: Candidates

    @cached_property
    def tags(self) -> Tags:
        """The vocabulary of the program."""
        return Tags(self.candidates.matching)

    @cached_property
    def of(self) -> tuple[tuple[int, ...], ...]:
        """For each mentee, the score with each of its candidates, in their order."""
        mentees, mentors = self.candidates.mentees, self.candidates.mentors
        return tuple(
            tuple(sum(count(mentee, mentors[index]) for _, count in self.counts) for index in candidates)
            for mentee, candidates in zip(mentees, self.candidates.of, strict=True)
        )

    @cached_property
    def counts(self) -> tuple[tuple[ScoreKind, Counts], ...]:
        """Each score of the program: its kind, and the points that a mentee and a mentor get by it."""
        matching = self.candidates.matching
        return tuple((score.kind, _points(score, matching, self.tags)) for score in matching.score)

    @cached_property
    def maps(self) -> tuple[dict[int, int], ...]:
        """For each mentee, candidate mentor to score."""
        return tuple(
            dict(zip(candidates, scores, strict=True))
            for candidates, scores in zip(self.candidates.of, self.of, strict=True)
        )

    @cached_property
    def wishes(self) -> tuple[dict[int, int], ...]:
        """For each mentee, their candidate mentors among their wishes: place of the mentor to rank, from 0."""
        place = {mentor.id: index for index, mentor in enumerate(self.candidates.mentors)}
        return tuple(
            {
                place[id_]: rank
                for rank, id_ in enumerate(mentee.wishes_as_mentee[: len(RANKS)])
                if place.get(id_) in candidates
            }
            for mentee, candidates in zip(self.candidates.mentees, map(frozenset, self.candidates.of), strict=True)
        )

    def parts(self, mentee: int, mentor: int) -> tuple[Part, ...]:
        """What this pair gets points for, the most first."""
        one, other = self.candidates.mentees[mentee], self.candidates.mentors[mentor]
        found = [
            part
            for score in self.candidates.matching.score
            for part in parts_of(score, self.candidates.matching, self.tags, one, other)
        ]
        return tuple(sorted(found, key=lambda part: -part.points))


def _points(score: Score, matching: Matching, tags: Tags) -> Counts:
    """The points of one score as a function that is quick for many pairs."""
    name = score.field
    match score.kind:
        case "steps":
            order, points = matching.order_of(name) or (), score.points
            steps: dict[str, int | None] = {}

            def step(person: Applicant) -> int | None:
                if person.id not in steps:
                    steps[person.id] = step_of(person, name, order)
                return steps[person.id]

            def count_steps(mentee: Applicant, mentor: Applicant) -> int:
                low, high = step(mentee), step(mentor)
                return 0 if low is None or high is None else points.get(high - low, 0)

            return count_steps
        case "equal":
            having = _values(name)
            return lambda mentee, mentor: 0 if having(mentee).isdisjoint(having(mentor)) else score.points
        case "shared":
            having = _values(name)
            asked = score.only_if

            def count_shared(mentee: Applicant, mentor: Applicant) -> int:
                if asked is not None and not mentee.says_yes(asked):
                    return 0
                return 0 if having(mentee).isdisjoint(having(mentor)) else score.points

            return count_shared
        case "wanted":
            wants, offers = _tags(name, tags), _tags(score.offered or "", tags)
            points = score.points

            def count_wanted(mentee: Applicant, mentor: Applicant) -> int:
                offered = offers(mentor)
                return sum(gets for tag, gets in zip(wants(mentee), points, strict=False) if tag in offered)

            return count_wanted
        case "wish":
            points = score.points

            def count_wish(mentee: Applicant, mentor: Applicant) -> int:
                rank = wish_rank(score, mentee, mentor)
                return points[rank] if rank is not None and rank < len(points) else 0

            return count_wish
        case _:
            assert_never(score.kind)


def wish_rank(score: Score, mentee: Applicant, mentor: Applicant) -> int | None:
    """Which wish this pair is of the side that the score names, from 0; None where it is none."""
    wishes, id_ = (
        (mentee.wishes_as_mentee, mentor.id) if score.wish == "mentee" else (mentor.wishes_as_mentor, mentee.id)
    )
    return wishes.index(id_) if id_ in wishes else None


def _values(name: str) -> Callable[[Applicant], frozenset[str]]:
    known: dict[str, frozenset[str]] = {}

    def values(person: Applicant) -> frozenset[str]:
        found = known.get(person.id)
        if found is None:
            found = known[person.id] = frozenset(value.casefold() for value in person.values(name))
        return found

    return values


def _tags(name: str, tags: Tags) -> Callable[[Applicant], Values]:
    known: dict[str, Values] = {}

    def found(person: Applicant) -> Values:
        if person.id not in known:
            known[person.id] = tags.of(person.values(name))
        return known[person.id]

    return found


def parts_of(score: Score, matching: Matching, tags: Tags, mentee: Applicant, mentor: Applicant) -> Sequence[Part]:
    """What a mentee and a mentor get points for by one score."""
    name = score.field
    points = _points(score, matching, tags)(mentee, mentor)
    if not points:
        return ()
    common = sorted(set(mentee.values(name)) & set(mentor.values(name)))
    match score.kind:
        case "steps":
            order = matching.order_of(name) or ()
            step = (step_of(mentor, name, order) or 0) - (step_of(mentee, name, order) or 0)
            side = "above" if step > 0 else "below"
            return (Part(points, f"{name}: {abs(step)} step{'s' if abs(step) != 1 else ''} {side}", "steps", name),)
        case "equal":
            return (Part(points, f"same {name}: {', '.join(common)}", "equal", name),)
        case "shared":
            return (Part(points, f"shared {name}", "shared", name),)
        case "wanted":
            offered = tags.of(mentor.values(score.offered or ""))
            return [
                Part(gets, f"{RANKS[rank] if rank < len(RANKS) else rank + 1} of what was wanted: {tags.label(tag)}",
                     "wanted", name)
                for rank, (tag, gets) in enumerate(zip(tags.of(mentee.values(name)), score.points, strict=False))
                if tag in offered and gets
            ]  # fmt: skip
        case "wish":
            rank = wish_rank(score, mentee, mentor) or 0
            return (Part(points, f"{RANKS[rank]} wish of the {score.wish}", "wish"),)
        case _:
            assert_never(score.kind)
