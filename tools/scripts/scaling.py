"""Works out the tables of docs/scaling.md from measurements; `python -m tools.scripts.scaling` writes them into it.

Nothing here is a promise: measure your own machine with `make bench`, change the numbers, look at the tables again.
"""

from __future__ import annotations

import re
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "scaling.md"

SIZES = (100, 1_000, 10_000, 100_000, 1_000_000)
"""Mentorships that run at the same time."""
SEASON_DAYS = 182

# Measured on two cores that server, worker, relay and client shared: docs/performance.md has them, with their floor.
CPU_SERVER = 0.316
CPU_WORKER = 0.336
"""Seconds of CPU for a whole season of one mentorship."""
TURNS = 34
"""Turns that a season of 26 weeks takes, about: a step that opens, an answer, a close."""
ACTIONS = 88.0
"""Temporal's actions for a season, by which Temporal Cloud counts."""
EVENTS = 238
"""Events in the history of one."""
KILOBYTES_OPEN = 190
"""What an open workflow that has taken an answer takes in a worker's cache."""
MAILS = 26
"""Mails of a season to the people of one mentorship, about: 746 to 29 of them in the rehearsal of the README."""
MAILS_A_SECOND = 285
"""Of one postmaster over four connections to a relay that takes 10 ms a mail."""
NIGHT = 9 * 3600
"""Seconds from midnight, when dates begin, to nine, when letterboxes open."""


def tables() -> dict[str, str]:
    """Name to Markdown table."""
    return {"season": _season(), "day": _day()}


def _season() -> str:
    rows = ["| mentorships | CPU a day, on average | Temporal actions a month | mails a working day | events kept |"]
    rows.append("| ---: | ---: | ---: | ---: | ---: |")
    for size in SIZES:
        cpu = size * (CPU_SERVER + CPU_WORKER) / SEASON_DAYS
        actions = size * ACTIONS / SEASON_DAYS * 30
        mails = size * MAILS / (SEASON_DAYS * 5 / 7)
        rows.append(f"| {size:,} | {_time(cpu)} | {_many(actions)} | {_many(mails)} | {_many(size * EVENTS)} |")
    return "\n".join(rows)


def _day() -> str:
    rows = ["| mentorships | CPU of their night | cores, for nine hours | in memory | mails at nine | sent in |"]
    rows.append("| ---: | ---: | ---: | ---: | ---: | ---: |")
    for size in SIZES:
        cpu = size * (CPU_SERVER + CPU_WORKER) / TURNS
        cores, memory = _two_digits(cpu / NIGHT), _two_digits(size * KILOBYTES_OPEN / 1024**2)
        rows.append(
            f"| {size:,} | {_time(cpu)} | {cores} | {memory} GB | {_many(2 * size)} | "
            f"{_time(2 * size / MAILS_A_SECOND)} |"
        )
    return "\n".join(rows)


def _many(count: float) -> str:
    if count >= 1_000_000:
        return f"{count / 1_000_000:.3g} million"
    return f"{float(f'{count:.3g}'):,.0f}"


def _two_digits(number: float) -> str:
    """Never with an exponent."""
    return f"{float(f'{number:.2g}'):.9f}".rstrip("0").rstrip(".")


def _time(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.2g} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def page(text: str) -> str:
    """The page with its tables as they are worked out now."""
    for name, table in tables().items():
        text = re.sub(
            rf"(<!-- {name} -->\n).*?(\n<!-- end -->)", lambda match, table=table: match[1] + table + match[2], text,
            flags=re.DOTALL,
        )  # fmt: skip
    return text


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
