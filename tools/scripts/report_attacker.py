"""Attacks the gate of reports: random sets of tables, and random seasons with every filter, at several moments.

python -m tools.scripts.report_attacker [TABLES] [SEASONS]

Without arguments: 10,000 sets of tables and 200 seasons, about 15 minutes of CPU. It prints how far it has come.
"""

from __future__ import annotations

import sys
from random import Random

from rehearsal.season_rows import season_rows
from reports.gate import gated
from testing.report_attacker import chance_tables, learned
from testing.season_attacker import attacked
from testing.seasons.rehearsed_answers import season


def main(sets: int, seasons: int) -> int:
    """Attack; the exit status is 1 where a small number was learned."""
    random, found = Random(1), 0
    for _ in range(sets):
        tables = chance_tables(random)
        found += len(learned(tables, gated(tables)))
    print(f"{sets:,} sets of tables: {found} small numbers learned", flush=True)
    other = season_rows(season(1, 20, ("formal",)))
    reports = numbers = targets = 0
    for seed in range(1, seasons + 1):
        attack = attacked(seed, other=other)
        for line in attack.learned():
            print(f"season {seed}: {line}", flush=True)
            found += 1
        reports, numbers = reports + attack.reports, numbers + attack.numbers
        targets += attack.targets
        print(
            f"{seed} seasons: {reports:,} reports, {numbers:,} numbers, {targets:,} small ones to learn", flush=True
        )
    print(f"{found} small numbers learned")
    return 1 if found else 0


if __name__ == "__main__":
    counts = [int(argument) for argument in sys.argv[1:]]
    sys.exit(main(*[*counts, *(10_000, 200)[len(counts) :]]))
