"""Peers and groups of a pool, matched. A price means solving again, so only a few are worked out at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

from matching.candidates import Candidates
from matching.fairness import attributes, fairness_of
from matching.groups import GroupResult, match_groups, one_more_group
from matching.objective import Impossible, PairIds, Totals, Wanted
from matching.peers import PeerResult, match_peers
from matching.scoring import Scores
from matching.shortage import in_common, kind_of
from operations.errors import Refused
from operations.matching.board import (
    Board,
    BoardPair,
    Nobody,
    Other,
    described,
    fared,
    line_for,
    no_candidate,
    no_pair_at_all,
    pairs_csv,
    price_in_words,
    shared_by,
)
from operations.matching.pool import Pool
from program.faults import counted
from program.matching import THREE_PEERS, Groups, Rule

PRICED_BY_SOLVING = 6
"""Other partners or groups whose price is worked out for one person where each means solving again."""


def _lost(found: Candidates, mentee: int) -> tuple[tuple[Rule, ...], bool]:
    """The rules that leave somebody without a candidate, and whether each does so alone."""
    alone = found.without(mentee)
    everybody = (1 << len(found.mentors)) - 1
    pairs = zip(found.matching.rules, found.masks[mentee], strict=True)
    return alone or tuple(rule for rule, mask in pairs if mask != everybody), bool(alone)


def _compared(before: Totals, after: Totals, pool: Pool, what: str) -> str:
    """What a second result has less, in words."""
    objective = pool.matching.objective
    levels: dict[str, int] = {}
    for level in objective:
        if level == "wishes":
            ranks = zip(before.wishes, after.wishes, strict=True)
            levels |= {f"wish_{rank}": had - has for rank, (had, has) in enumerate(ranks, 1)}
        else:
            levels[level] = getattr(before, level) - getattr(after, level)
    return price_in_words({name: less for name, less in levels.items() if less}, what)


@dataclass(frozen=True)
class MatchedPeers:
    """Pairs of peers. A price means solving again."""

    pool: Pool
    wanted: Wanted
    result: PeerResult

    @property
    def ids(self) -> tuple[PairIds, ...]:
        """The pairs, the smaller id first."""
        return self.result.ids

    @cached_property
    def board(self) -> Board:
        """Everything that was found, in words."""
        result, pool = self.result, self.pool
        pins = {frozenset(pair) for pair in result.wanted.pins}
        scores = Scores(result.candidates)
        three = tuple(result.people[one].id for one in result.three)
        pairs = tuple(
            BoardPair(
                result.people[one].id, result.people[other].id, result.scores[one][other], result.parts(one, other),
                shared_by(pool, result.people[one], result.people[other], scores.tags),
                pinned=frozenset((result.people[one].id, result.people[other].id)) in pins,
                three=three if one in result.three and other in result.three else (),
            )
            for one, other in result.pairs
        )  # fmt: skip
        nobody = tuple(self._alone(one) for one in result.alone)
        warnings = tuple(str(warning) for warning in pool.warnings)
        notes = (*self._about_three(), *no_pair_at_all(result.candidates))
        # Of the two pairs of somebody in a group of three, the weaker one: nobody looks better served by two.
        scored = {
            person: min(result.scores[person][other] for other in partners)
            for person in range(len(result.people))
            if (partners := result.partners(person))
        }
        fairness = tuple(
            fared(fairness_of(result.candidates, scored, attributes(pool.matching), result.without_candidate))
        )
        return Board(
            pool.title, pool.format, result.totals, len(result.people), pairs, nobody, (), self._helps(), fairness,
            notes, warnings,
        )  # fmt: skip

    def _about_three(self) -> Iterator[str]:
        groups = self.pool.matching.groups
        if self.result.three:
            one, other, third = (self.result.people[place].id for place in self.result.three)
            yield (
                f"three meet, because pairs alone would leave one of them out: {one}, {other} and {third}, each of "
                "whom has a mentorship with both others"
            )
        elif groups != Groups() and not self.pool.matching.three_peers:
            says = f"{{least: {groups.least}, most: {groups.most}}}"
            allows = f"{{least: {THREE_PEERS.least}, most: {THREE_PEERS.most}}}"
            yield f"`groups: {says}` is not used: peers meet in twos, and three of them only with `groups: {allows}`"

    def _helps(self) -> tuple[str, ...]:
        """One more person pairs with somebody who waits and has a candidate. It is not worked out for each kind of
        person: that would mean solving again."""
        left = [one for one in self.result.alone if self.result.scores[one]]
        if not left:
            return ()
        kinds = in_common(self.result.candidates, (self.result.people[one] for one in left))
        values = described({name: tuple(sorted(of)) for name, of in kinds.items()})
        return (f"somebody more who fits to one of {counted(len(left), 'peer')} ({values}) would serve one more",)

    def _alone(self, one: int) -> Nobody:
        id_ = self.result.people[one].id
        if self.result.scores[one]:
            words = "an odd number is left among those who could be together, so one waits"
            return Nobody(id_, words, line_for((), alone=False, short=True), short=True)
        rules, alone = _lost(self.result.candidates, one)
        line = line_for(rules, alone=alone, short=False)
        return Nobody(id_, no_candidate(rules, alone=alone), line, short=False)

    def others(self, id_: str) -> tuple[Other, ...]:
        """The partners with the most points, each with its price. Raises Refused."""
        one = self._place(id_)
        most = sorted(self.result.scores[one].items(), key=lambda pair: (-pair[1], pair[0]))
        partners = self.result.partners(one)
        found = [(other, score) for other, score in most if other not in partners][:PRICED_BY_SOLVING]
        return tuple(
            Other(self.result.people[other].id, score, *self.price(id_, self.result.people[other].id))
            for other, score in found
        )

    def price(self, one: str, other: str) -> tuple[str, tuple[str, ...]]:
        """What this pair would cost, by solving again. Raises Refused where a rule forbids it."""
        here, there = self._place(one), self._place(other)
        if there in self.result.partners(here):
            return "this pair is made already", ()
        wanted = replace(self.wanted, pins=self.wanted.pins | {(one, other)}, keep=frozenset(self.ids))
        try:
            after = match_peers(self.pool.people, self.pool.matching, self.pool.start, wanted)
        except Impossible as error:
            raise Refused(str(error)) from None
        moves = tuple(
            f"{person.id} would then " + self._with(after, place)
            for place, person in enumerate(self.result.people)
            if place not in (here, there) and after.partners(place) != self.result.partners(place)
        )
        return _compared(self.result.totals, after.totals, self.pool, "a partner"), moves

    def _with(self, after: PeerResult, place: int) -> str:
        """With whom somebody would be."""
        partners = [self.result.people[other].id for other in after.partners(place)]
        return f"be with {' and '.join(partners)}" if partners else "wait"

    def _place(self, id_: str) -> int:
        return [person.id for person in self.result.people].index(self.pool.known(id_))

    def pairs_csv(self) -> str:
        """The pairs as the file that `pairs:` of a cohort names."""
        return pairs_csv(("", "", f"{one} {other}") for one, other in self.ids)


# -- groups ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class MatchedGroups:
    """Groups. A price means solving again."""

    pool: Pool
    wanted: Wanted
    result: GroupResult

    @property
    def ids(self) -> tuple[PairIds, ...]:
        """(mentor, mentee), by mentee."""
        return self.result.ids

    @cached_property
    def board(self) -> Board:
        """Everything that was found, in words; one pair for each mentee, the groups one after another."""
        result, found = self.result, self.result.candidates
        pairs = tuple(
            BoardPair(
                found.mentors[mentor].id, found.mentees[mentee].id, result.scores.maps[mentee][mentor],
                result.scores.parts(mentee, mentor),
                shared_by(self.pool, found.mentees[mentee], found.mentors[mentor], result.scores.tags),
                pinned=(found.mentors[mentor].id, found.mentees[mentee].id) in result.wanted.pins,
                slot=result.slots.get(mentor, ""),
            )
            for mentor, mentees in result.groups
            for mentee in mentees
        )  # fmt: skip
        notes = [*no_pair_at_all(found)]
        for level, gap in result.off_by.items():
            notes.append(f"`{level}` is not proven to be the best: at most {gap} more would be possible")
        scored = {mentee: result.scores.maps[mentee][mentor] for mentee, mentor in result.mentor_of.items()}
        fairness = tuple(fared(fairness_of(found, scored, attributes(self.pool.matching))))
        most = found.matching.groups.most
        free = tuple(
            (found.mentors[mentor].id, left)
            for mentor, mentees in result.groups
            if (left := min(most, found.mentors[mentor].capacity) - len(mentees)) > 0
        )
        return Board(
            self.pool.title, self.pool.format, result.totals, len(found.mentees), pairs, tuple(self._nobody()), free,
            self._helps(), fairness, tuple(notes), tuple(str(warning) for warning in self.pool.warnings),
        )  # fmt: skip

    def _helps(self) -> tuple[str, ...]:
        found = self.result.candidates
        return tuple(
            f"one more group with a mentor of {described(kind_of(found, mentor))} would serve at least {count} more"
            for mentor, count in one_more_group(self.result, self.pool.start)
        )

    def _nobody(self) -> Iterator[Nobody]:
        found = self.result.candidates
        groups = found.matching.groups
        for mentee in self.result.unplaced:
            if found.of[mentee]:
                why = f"no group of {groups.least} to {groups.most} with one slot for all has a place left"
                yield Nobody(found.mentees[mentee].id, why, line_for((), alone=False, short=True), short=True)
            else:
                rules, alone = _lost(found, mentee)
                line = line_for(rules, alone=alone, short=False)
                yield Nobody(found.mentees[mentee].id, no_candidate(rules, alone=alone), line, short=False)

    def others(self, id_: str) -> tuple[Other, ...]:
        """The mentors with the most points for a mentee, each with its price. Raises Refused."""
        mentee = self._mentee(id_)
        found = self.result.candidates
        most = sorted(self.result.scores.maps[mentee].items(), key=lambda pair: (-pair[1], pair[0]))
        others = [(mentor, score) for mentor, score in most if mentor != self.result.mentor_of.get(mentee)]
        return tuple(
            Other(found.mentors[mentor].id, score, *self.price(id_, found.mentors[mentor].id))
            for mentor, score in others[:PRICED_BY_SOLVING]
        )

    def price(self, one: str, other: str) -> tuple[str, tuple[str, ...]]:
        """What it would cost to put a mentee into the group of a mentor, by solving again. Raises Refused."""
        mentee, mentor = self._in_order(self.pool.known(one), self.pool.known(other))
        if (mentor, mentee) in self.ids:
            return "these two are in one group already", ()
        wanted = replace(self.wanted, pins=self.wanted.pins | {(mentor, mentee)}, keep=frozenset(self.ids))
        try:
            after = match_groups(self.pool.people, self.pool.matching, self.pool.start, wanted)
        except Impossible:
            return f"{mentee} can't be with {mentor}: no group with both is possible", ()
        was, now = ({mentee: mentor for mentor, mentee in ids} for ids in (self.ids, after.ids))
        moves = tuple(
            f"{person} would then " + (f"be with {now[person]}" if person in now else "have nobody")
            for person in sorted({*was, *now} - {mentee})
            if was.get(person) != now.get(person)
        )
        return _compared(self.result.totals, after.totals, self.pool, "a group"), moves

    def _in_order(self, one: str, other: str) -> PairIds:
        """(mentee, mentor), in the order given where both can be both. Raises Refused."""
        mentees, mentors = (
            {person.id for person in side}
            for side in (self.result.candidates.mentees, self.result.candidates.mentors)
        )
        for mentee, mentor in ((one, other), (other, one)):
            if mentee in mentees and mentor in mentors:
                return mentee, mentor
        raise Refused(f"{one} and {other} are no mentee and mentor")

    def _mentee(self, id_: str) -> int:
        ids = [person.id for person in self.result.candidates.mentees]
        if self.pool.known(id_) not in ids:
            raise Refused(f"{id_} wants no mentor")
        return ids.index(id_)

    def pairs_csv(self) -> str:
        """The groups as the file that `pairs:` of a cohort names."""
        found = self.result.candidates
        return pairs_csv(
            (found.mentors[mentor].id, " ".join(found.mentees[mentee].id for mentee in mentees), "")
            for mentor, mentees in self.result.groups
        )
