"""Which answers stand behind a task: those that opened it, else the last of the forms that such a task is about.

The first page and the page of a task ask here, so that both show the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from lifecycle.assessment import signals
from program.checks.program_checks import ASKS
from store.forms.answers import GivenAnswer

BEHIND: Mapping[str, tuple[str, ...]] = {
    "seat_empty": ("invitation",),
    "low_score": ("check_in",),
    "stalled": ("check_in",),
    "silent": ("check_in", "midpoint", "are_you_there"),
    "fit": ("fit_check",),
    "midpoint": ("midpoint",),
    "withdrawn": ("check_in",),
    "small_group": ("check_in",),
    "no_agreement": ("fit_check",),
    "expectations_differ": (),
    "bounced": (),
}
"""Kind of task to the asks whose answers are behind it. A kind that is not named: any ask."""


ANY = tuple(ask for ask in ASKS if ask != "agreement")
"""The agreement belongs to the pair."""
TELLING: Mapping[str, tuple[str, ...]] = {
    "seat_empty": ("accept",),
    "stalled": ("p_met", "p_next", "p_block", "m_block"),
    "silent": ("state",),
    "fit": ("f_fit", "f_action"),
    "help": ("p_help", "f_action", "state"),
    "midpoint": ("r_decide",),
}
"""Kind of task to the questions whose answers say most about it."""
UNREMARKABLE = ("no", "fine")
"""Answers to those questions that say nothing."""


def asks_behind(kinds: Iterable[str]) -> set[str]:
    """The asks whose answers can stand behind tasks of these kinds."""
    return {ask for kind in kinds for ask in BEHIND.get(kind, ANY)}


def about(kind: str, given: Iterable[GivenAnswer]) -> list[GivenAnswer]:
    """Those answers that a task of this kind is about: those that opened it, else any to its forms."""
    asks = BEHIND.get(kind)
    found = [one for one in given if asks is None or one.ask in asks]
    return [one for one in found if caused(kind, one)] or found


def tells(kind: str, question: str, value: object) -> bool:
    """Whether an answer to this question says most about a task of this kind."""
    return question in TELLING.get(kind, ()) and value not in UNREMARKABLE


def caused(kind: str, given: GivenAnswer) -> bool:
    """Whether this answer is what opened a task of this kind, by the rules that opened it."""
    found = signals(given.ask, given.body, given.rules)
    match kind:
        case "low_score":
            return found.low
        case "fit":
            return found.fit
        case "help":
            return found.help
        case "safety":
            return found.safety
        case "seat_empty":
            return found.accepted is False
        case "stalled":
            return given.body.get("p_met") == "0"
        case _:
            return False
