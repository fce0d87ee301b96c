"""The faults. Each does its worst to a town whose season is under way, and returns when it is over.

What is not here: a clock that jumps on the machine of Temporal's server. The season's time is Temporal's (its timers,
and the moment that a workflow sees), and the server can't be told another time than its machine's. A worker whose own
clock is wrong is here (`clock`).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from faults.poison import answer_poisoned, row_poisoned, template_raises
from faults.relay import at_random, does, greylists
from faults.taken_away import (
    clock_wrong,
    disk_full,
    one_of_two_killed,
    outage,
    postgresql_away,
    temporal_away,
    worker_killed,
)
from faults.town import Town
from tests.sink import ACCEPT, DROP, HANG, SLOW


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that goes wrong."""

    says: str
    happens: Callable[[Town], Awaitable[int]]
    """Does it, and returns how often it was seen to happen; what never happened was not survived."""
    on_postgresql: bool = False
    deaths: bool = False
    """Whether somebody of ours can die, or lose the database, before it is written down what came of a mail."""
    partial: bool = False
    """Whether it concerns some mails only: others must go out meanwhile."""


FAULTS: Mapping[str, Fault] = {
    "worker": Fault("worker killed eight times", worker_killed, deaths=True),
    "two": Fault("two workers, one killed", one_of_two_killed, deaths=True),
    "temporal": Fault("Temporal away, back on its file", temporal_away, deaths=True),
    "postgresql": Fault("PostgreSQL restarted twice", postgresql_away, on_postgresql=True, deaths=True),
    "outage": Fault(
        "relay, worker and database away in turn, one for three days", outage, on_postgresql=True, deaths=True
    ),
    "refuses": Fault("relay refuses for a while (451)", does("data 451 4.3.0 later")),
    "greylists": Fault("relay greylists everybody (450)", greylists),
    "closing": Fault("relay closes (421)", does("mail 421 4.3.2 closing")),
    "hangs": Fault("relay hangs after the body, twice", does(HANG, HANG, ACCEPT)),
    "drops": Fault("relay drops after the body, five times", does(*[DROP] * 5, ACCEPT)),
    "random": Fault("relay does any of these at random", at_random),
    "slow": Fault("relay is slow", does(SLOW)),
    "disk": Fault("disk full (SQLite)", disk_full, deaths=True),
    "clock": Fault("the worker's clock ten days ahead, then ten behind", clock_wrong),
    "template": Fault("a template that raises", template_raises, partial=True),
    "row": Fault("rows that make no sense", row_poisoned, partial=True),
    "answer": Fault("an answer and a message that can't be read", answer_poisoned, partial=True),
}
