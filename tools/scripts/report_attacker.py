"""Attacks the gate of reports: 10,000 random sets of tables, and random seasons with pairs of filters.

python -m tools.scripts.report_attacker [COHORTS]      prints how many small numbers were learned; there must be none
"""

from __future__ import annotations

import sys
from random import Random

from rehearsal.season_rows import season_rows
from reports import season_report
from reports.gate import gated
from reports.rows import Index
from testing.report_attacker import chance_tables, learned, learned_with_filters
from testing.seasons.rehearsed_answers import season

SEASONS = 40
"""One rehearsed season for so many sets of tables."""


def main(cohorts: int) -> int:
    """Attack; the exit status."""
    random, found = Random(1), 0
    for number in range(cohorts):
        tables = chance_tables(random)
        found += len(learned(tables, gated(tables)))
        if number % (max(cohorts // SEASONS, 1)) == 0:
            rows = season_rows(season(number + 1, random.randint(4, 60), ("formal", "peer", "reverse")))
            season_tables = season_report.all_tables(Index(rows), {})
            found += len(learned(season_tables, gated(season_tables)))
            found += learned_with_filters(rows)
    print(f"{cohorts:,} sets of tables: {found} small numbers learned")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000))
