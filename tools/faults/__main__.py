"""`python -m tools.faults [NAME …] [--seed N]`: does it all to a small cohort, and prints one table."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import sys
import tempfile
import time
from pathlib import Path

from runtime.logs import set_up_logs
from tools.faults.catalogue import FAULTS
from tools.faults.installation import Size
from tools.faults.run import Played, played

HEAD = (
    "| fault | times | mails | meanwhile | answers | mails lost | doubled | two a day | same again | not repeated "
    "| answers lost | recovered in |\n"
    "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
)


def line(says: str, played_fault: Played) -> str:
    """A row of the table."""
    tally = played_fault.tally
    counts = (
        played_fault.times,
        tally.mails,
        played_fault.meanwhile,
        tally.answers,
        tally.mails_lost,
        tally.mails_doubled,
        tally.crowded,
        tally.ambiguous,
        tally.not_repeated,
    )
    numbers = " | ".join(str(count) for count in counts)
    return f"| {says} | {numbers} | {tally.answers_lost} | {played_fault.recovered:.1f} s |"


async def main(names: list[str], seed: int, size: Size) -> int:
    """Do these one after another; the exit status."""
    set_up_logs(level=logging.CRITICAL)
    began = time.monotonic()
    broken: list[str] = []
    print(HEAD, flush=True)
    for name in names:
        with tempfile.TemporaryDirectory(prefix="mentorship-faults-", ignore_cleanup_errors=True) as folder:
            played_fault = await played(Path(folder), FAULTS[name], seed, size)
        print(line(FAULTS[name].says, played_fault), flush=True)
        for trouble in played_fault.troubles:
            print(f"  {name}: {trouble}", file=sys.stderr, flush=True)
        if played_fault.troubles:
            broken.append(name)
    took = f"{time.monotonic() - began:.0f} seconds"
    if broken:
        print(f"\nBROKEN in {took}. Again: make faults ARGS='{' '.join(broken)}' SEED={seed}")
        return 1
    print(f"\n{len(names)} faults in {took}: nothing lost, nothing doubled. Seed {seed}.")
    return 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tools.faults", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"some of: {', '.join(FAULTS)} (default: all)")
    parser.add_argument("--seed", type=int, default=1, help="deals the moments and the lengths of faults")
    parser.add_argument("--pairs", type=int, default=Size.pairs, help="how many pairs live through it")
    parser.add_argument("--seconds", type=float, default=Size.seconds, help="in which seven weeks pass")
    asked = parser.parse_args()
    if unknown := set(asked.names) - set(FAULTS):
        parser.error(f"there is no {', '.join(sorted(unknown))}; there are {', '.join(FAULTS)}")
    status = asyncio.run(main(asked.names or list(FAULTS), asked.seed, Size(asked.pairs, asked.seconds)))
    sys.stdout.flush()
    os._exit(status)  # Temporal's SDK can abort while the interpreter shuts down
