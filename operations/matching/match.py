"""Matching the people of a pool: who would be with whom, why, and what else would cost. Stores nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from matching.candidates import ReportingCircle, UnknownStep, candidates
from matching.groups import SolverMissing, match_groups
from matching.objective import Impossible, PairIds, Wanted, match, staying
from matching.peers import match_peers
from operations.errors import Refused
from operations.matching.matched_others import MatchedGroups, MatchedPeers
from operations.matching.matched_pairs import MatchedPairs
from operations.matching.pool import Pool

Matched = MatchedPairs | MatchedPeers | MatchedGroups
"""What a pool became, by its format."""


def matched(pool: Pool, wanted: Wanted | None = None, stay: Sequence[PairIds] = ()) -> Matched:
    """The best pairs, groups or pairs of peers, by the format. `stay`: pairs that are kept where they can be.

    Raises Refused for a pin that can't be, for people whom the rules can't compare, and for groups where the solver
    is not installed.
    """
    wanted = wanted or Wanted()
    gone: tuple[PairIds, ...] = ()
    try:
        if pool.format == "peer":
            return MatchedPeers(
                pool, wanted, match_peers(pool.people, pool.matching, pool.start, _pinned(wanted, stay))
            )
        if pool.format == "group":
            groups = match_groups(pool.people, pool.matching, pool.start, _pinned(wanted, stay))
            return MatchedGroups(pool, wanted, groups)
        found = candidates(pool.people, pool.matching, pool.start)
        if stay:
            wanted, gone = staying(found, wanted, stay)
        return MatchedPairs(pool, match(found, wanted), gone)
    except (Impossible, SolverMissing) as error:
        raise Refused(str(error)) from None
    except (ReportingCircle, UnknownStep) as error:
        raise Refused(in_words(error)) from None


def in_words(error: ReportingCircle | UnknownStep) -> str:
    """Why nobody can be matched before somebody's application is corrected, with ids."""
    if isinstance(error, ReportingCircle):
        return f"{error}; correct whom one of them named, or withdraw the application"
    return f"{error}; correct it there, or add it to `order:` in the program"


def _pinned(wanted: Wanted, stay: Sequence[PairIds]) -> Wanted:
    return replace(wanted, pins=wanted.pins | (frozenset(stay) - wanted.bans))
