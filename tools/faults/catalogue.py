"""The faults. Each disturbs an installation in mid-season, and returns when the fault is over.

What is not here: a clock that jumps on the machine of Temporal's server. The season's time is Temporal's (its timers,
and the moment that a workflow sees), and the server can't be told another time than its machine's. A worker whose own
clock is wrong is here (`clock`).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from testing.servers.sink import ACCEPT, DROP, HANG, SLOW
from tools.faults.forged import forged_bounces
from tools.faults.installation import Town
from tools.faults.lost_workers import temporal_cut_off, worker_paused
from tools.faults.operators import fresh_temporal, operators
from tools.faults.outages import (
    clock_wrong,
    disk_full,
    one_of_two_killed,
    outage,
    postgresql_away,
    temporal_away,
    worker_killed,
)
from tools.faults.poison import answer_poisoned, row_poisoned, template_raises
from tools.faults.relay import at_random, does, greylists, strange_words


@dataclass(frozen=True, slots=True)
class FaultCase:
    """Something that goes wrong."""

    says: str
    happens: Callable[[Town], Awaitable[int]]
    """Does it, and returns how often it was seen to happen; what never happened was not survived."""
    on_postgresql: bool = False
    deaths: bool = False
    """Whether somebody of ours can die, or lose the database, before it is written down what came of a mail."""
    partial: bool = False
    """Whether it concerns some mails only: others must go out meanwhile."""


FAULTS: Mapping[str, FaultCase] = {
    "worker": FaultCase("worker killed eight times", worker_killed, deaths=True),
    "two": FaultCase("two workers, one killed", one_of_two_killed, deaths=True),
    "paused": FaultCase("worker stands still while it sends", worker_paused, on_postgresql=True, deaths=True),
    "partition": FaultCase("worker loses Temporal only while it sends", temporal_cut_off, deaths=True),
    "operators": FaultCase(
        "mentorship, postmaster and cohort each cancelled, terminated and reset", operators, deaths=True
    ),
    "fresh": FaultCase("Temporal replaced by a fresh one, continued from the database", fresh_temporal, deaths=True),
    "temporal": FaultCase("Temporal away, back on its file", temporal_away, deaths=True),
    "postgresql": FaultCase("PostgreSQL restarted twice", postgresql_away, on_postgresql=True, deaths=True),
    "outage": FaultCase(
        "relay, worker and database away in turn, one for three days", outage, on_postgresql=True, deaths=True
    ),
    "refuses": FaultCase("relay refuses for a while (451)", does("data 451 4.3.0 later")),
    "greylists": FaultCase("relay greylists everybody (450)", greylists),
    "closing": FaultCase("relay closes (421)", does("mail 421 4.3.2 closing")),
    "hangs": FaultCase("relay hangs after the body, twice", does(HANG, HANG, ACCEPT)),
    "drops": FaultCase("relay drops after the body, five times", does(*[DROP] * 5, ACCEPT)),
    "random": FaultCase("relay does any of these at random", at_random),
    "words": FaultCase("relay asks for waits of years, or says yes in other words", strange_words),
    "slow": FaultCase("relay is slow", does(SLOW)),
    "disk": FaultCase("disk full (SQLite)", disk_full, deaths=True),
    "clock": FaultCase("the worker's clock ten days ahead, then ten behind", clock_wrong),
    "template": FaultCase("a template that raises", template_raises, partial=True),
    "row": FaultCase("rows that make no sense", row_poisoned, partial=True),
    "forged": FaultCase("forged reports about every mail", forged_bounces, partial=True),
    "answer": FaultCase("an answer and a message that can't be read", answer_poisoned, partial=True),
}
