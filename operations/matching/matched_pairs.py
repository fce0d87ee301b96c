"""Mentors and mentees of a pool, matched: the board, and what any other pair would cost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

from matching.assignment import UNPLACED
from matching.fairness import attributes, fairness
from matching.objective import PairIds, Result
from matching.prices import AllPrices, Price, Prices, Residual
from matching.shortage import Lack, in_common, what_would_help, why_nobody
from operations.errors import Refused
from operations.matching.board import (
    Board,
    BoardPair,
    Nobody,
    Other,
    RunnerUp,
    described,
    fared,
    line_for,
    no_candidate,
    no_pair_at_all,
    pairs_csv,
    price_in_words,
    rule_in_words,
    shared_by,
)
from operations.matching.pool import Pool
from program.faults import counted

RUNNER_UPS = 3
"""Others who are named for each side of a pair."""
PRICED_AT_MOST = 1000
"""Mentees up to whom every pair on the board has its runner-ups; beyond, one asks for the prices of one person."""
NOT_PRICED = (
    "the next choices of all pairs are not worked out here, they would take too long; "
    "ask for one person: “What would others cost?” on the page, `mentorship match … --explain PERSON` on the "
    "command line"
)
"""Said where a pair has no runner-ups on the board."""


@dataclass(frozen=True)
class MatchedPairs:
    """Mentors and mentees, with everything that explains the pairs."""

    pool: Pool
    result: Result
    gone: tuple[PairIds, ...] = ()
    """Pairs that should have stayed and could not."""

    @property
    def ids(self) -> tuple[PairIds, ...]:
        """(mentor, mentee), by mentee."""
        return self.result.ids

    @cached_property
    def board(self) -> Board:
        """Everything that was found, in words."""
        result, found = self.result, self.result.candidates
        groups = fairness(result, attributes(self.pool.matching))
        notes = [*no_pair_at_all(found)]
        if not self._is_priced and result.pairs:
            notes.append(NOT_PRICED)
        notes += [f"a pair could not stay together: {mentor} and {mentee}" for mentor, mentee in self.gone]
        return Board(
            self.pool.title, self.pool.format, result.totals, len(found.mentees), tuple(self._pairs()),
            tuple(self._nobody()), self._free, self._helps(), tuple(fared(groups)), tuple(notes),
            tuple(str(warning) for warning in self.pool.warnings),
        )  # fmt: skip

    def _pairs(self) -> Iterator[BoardPair]:
        result, found = self.result, self.result.candidates
        pinned = dict(result.pinned)
        priced = self._is_priced
        mentees_of = self._mentees_of if priced else ()
        for mentee, mentor in result.pairs:
            pair = BoardPair(
                found.mentors[mentor].id,
                found.mentees[mentee].id,
                result.score_of(mentee, mentor),
                result.scores.parts(mentee, mentor),
                shared_by(self.pool, found.mentees[mentee], found.mentors[mentor], result.scores.tags),
                pinned=mentee in pinned,
            )
            if not priced or mentee in pinned:
                yield pair
                continue
            for_mentee = [
                (cost, other) for other in found.of[mentee] if (cost := self._cost(mentee, other)) is not None
            ]
            for_mentee = sorted(one for one in for_mentee if one[1] != mentor)
            free = [other for cost, other in for_mentee if not cost and self._is_free(mentee, other)]
            stays_out = self._cost(mentee, UNPLACED) == 0 and self._is_free(mentee, UNPLACED)
            for_mentor = sorted(
                (cost, other)
                for other in mentees_of[mentor]
                if other != mentee and (cost := self._cost(other, mentor)) is not None
                and result.network.mentor_of(other) != mentor
            )  # fmt: skip
            yield replace(
                pair,
                inevitable=not free and not stays_out,
                equally_good=len(free),
                for_mentee=tuple(
                    RunnerUp(found.mentors[other].id, self._words(mentee, other))
                    for _, other in for_mentee[:RUNNER_UPS]
                ),
                for_mentor=tuple(
                    RunnerUp(found.mentees[other].id, self._words(other, mentor))
                    for _, other in for_mentor[:RUNNER_UPS]
                ),
            )

    @property
    def _is_priced(self) -> bool:
        """Whether each pair on the board has its runner-ups: many at once only where a price is a path."""
        return len(self.result.candidates.mentees) <= PRICED_AT_MOST and self.result.prices_are_paths

    @cached_property
    def _mentees_of(self) -> tuple[tuple[int, ...], ...]:
        of: list[list[int]] = [[] for _ in self.result.candidates.mentors]
        for mentee, mentors in enumerate(self.result.candidates.of):
            for mentor in mentors:
                of[mentor].append(mentee)
        return tuple(map(tuple, of))

    @cached_property
    def _residual(self) -> Residual:
        return Residual(self.result.network)

    @cached_property
    def _costs(self) -> AllPrices:
        return AllPrices(self.result)

    def _cost(self, mentee: int, mentor: int) -> int | None:
        """What a pair costs on the sums; None where it is banned, or the mentee is pinned."""
        edges = self.result.network.edges[mentee]
        there = len(self.result.network.places) - 1 if mentor == UNPLACED else mentor
        return self._costs.cost(mentee, there) if there in edges else None

    def _is_free(self, mentee: int, mentor: int) -> bool:
        price = Prices(self.result, mentee, self._residual).of(mentor)
        return price is not None and price.is_free

    def _words(self, mentee: int, mentor: int) -> str:
        levels = self._costs.levels(mentee, mentor)
        if levels and not self.result.candidates.both:
            return price_in_words(levels)
        price = Prices(self.result, mentee, self._residual).of(mentor)
        return self._priced(price) if price else "a rule forbids it"

    def _priced(self, price: Price) -> str:
        return price_in_words(price.changes(self.result.objective))

    def _nobody(self) -> Iterator[Nobody]:
        for lack in why_nobody(self.result):
            short = lack.shortage is not None
            line = line_for(lack.rules, alone=lack.alone, short=short)
            yield Nobody(self.result.candidates.mentees[lack.mentee].id, self._why(lack), line, short)

    def _why(self, lack: Lack) -> str:
        found = self.result.candidates
        if lack.shortage is None:
            return no_candidate(lack.rules, alone=lack.alone)
        shortage = lack.shortage
        people = in_common(found, (found.mentees[mentee] for mentee in shortage.mentees))
        everybody = self._everybody
        values = {name: tuple(sorted(of)) for name, of in people.items() if of.keys() != everybody[name].keys()}
        free = sum(places for _, places in self._free)
        stays = f"; {counted(free, 'other place')} stay{'s' if free == 1 else ''} free" if free else ""
        return (
            f"{counted(len(shortage.mentees), 'mentee')} ({described(values)}) can have only "
            f"{counted(shortage.places, 'place')}, with {counted(len(shortage.mentors), 'mentor')}{stays}"
        )

    @cached_property
    def _everybody(self) -> dict[str, Counter[str]]:
        return in_common(self.result.candidates, self.result.candidates.mentees)

    @cached_property
    def _free(self) -> tuple[tuple[str, int], ...]:
        network = self.result.network
        return tuple(
            (mentor.id, free)
            for index, mentor in enumerate(self.result.candidates.mentors)
            if (free := network.places[index] - len(network.who[index])) > 0
        )

    def _helps(self) -> tuple[str, ...]:
        return tuple(
            f"{counted(more, 'more place')} with a mentor of {described(help_.kind)} would serve {served} more"
            for help_ in what_would_help(self.result)
            for more, served in list(enumerate(help_.served, 1))[-1:]
        )

    def others(self, id_: str) -> tuple[Other, ...]:
        """For a mentee every other mentor, for a mentor every other mentee, the cheapest first. Raises Refused."""
        found = self.result.candidates
        mentee = self._mentee(id_)
        if mentee is not None:
            self._refuse_pinned(mentee)
            prices = Prices(self.result, mentee, self._residual).all()
            return tuple(
                self._other(price, found.mentors[price.mentor].id) for price in prices if price.mentor != UNPLACED
            )
        mentor = self._mentor(id_)
        if mentor is None:
            raise Refused(f"{id_} has no place, and wants no mentor")
        prices = [
            price
            for other in self._mentees_of[mentor]
            if other not in dict(self.result.pinned) and self.result.network.mentor_of(other) != mentor
            and (price := Prices(self.result, other, self._residual).of(mentor))
        ]  # fmt: skip
        names = list(self.result.scale.names)

        def dear(price: Price) -> tuple[list[int], int, str]:
            return [price.levels.get(name, 0) for name in names], price.worst, found.mentees[price.mentee].id

        return tuple(self._other(price, found.mentees[price.mentee].id) for price in sorted(prices, key=dear))

    def _other(self, price: Price, id_: str) -> Other:
        score = self.result.score_of(price.mentee, price.mentor)
        return Other(id_, score, self._priced(price), self._moves(price))

    def price(self, one: str, other: str) -> tuple[str, tuple[str, ...]]:
        """What the pair of a mentee and a mentor, in either order, would cost. Raises Refused."""
        mentee, mentor = self._mentee(self.pool.known(one)), self._mentor(self.pool.known(other))
        if mentee is None or mentor is None:
            mentee, mentor = self._mentee(other), self._mentor(one)
        if mentee is None or mentor is None:
            raise Refused(f"{one} and {other} are no mentee and mentor with a place")
        self._refuse_pinned(mentee)
        if self.result.network.mentor_of(mentee) == mentor:
            return "this pair is made already", ()
        price = Prices(self.result, mentee, self._residual).of(mentor)
        if price is None:
            rules = ", ".join(map(rule_in_words, self.result.candidates.forbidden_by(mentee, mentor)))
            raise Refused(f"{one} and {other} can't meet: {rules or 'one of the two excludes the other'}")
        return self._priced(price), self._moves(price)

    def _mentee(self, id_: str) -> int | None:
        ids = [mentee.id for mentee in self.result.candidates.mentees]
        return ids.index(id_) if id_ in ids else None

    def _mentor(self, id_: str) -> int | None:
        ids = [mentor.id for mentor in self.result.candidates.mentors]
        return ids.index(id_) if id_ in ids else None

    def _refuse_pinned(self, mentee: int) -> None:
        if mentee in dict(self.result.pinned):
            id_ = self.result.candidates.mentees[mentee].id
            raise Refused(f"{id_} is pinned; leave the pin out to see what others cost")

    def _moves(self, price: Price) -> tuple[str, ...]:
        found = self.result.candidates
        return tuple(
            f"{found.mentees[mentee].id} would then "
            + (f"be with {found.mentors[after].id}" if after != UNPLACED else "have nobody")
            for mentee, _, after in price.moves[1:]
        )

    def pairs_csv(self) -> str:
        """The pairs as the file that `pairs:` of a cohort names."""
        return pairs_csv((mentor, mentee, "") for mentor, mentee in self.ids)
