"""Changes the core in many small ways, one at a time, and lists the changes that no core test notices.

    python -m tools.scripts.mutants                   # all of them: hours
    python -m tools.scripts.mutants --sample 300      # so many, drawn by --seed: minutes
    python -m tools.scripts.mutants --show NAME       # one change as a diff

Works in a copy below `mutants/`, never in the checkout. A change that survives either means the same (a message
that no rule reads, a default that is always given), or a test that is missing: look at each with --show.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
from pathlib import Path
from random import Random

ROOT = Path(__file__).parents[2]
MUTMUT = Path(sys.executable).parent / "mutmut"
UNCHECKED = "not checked"
NAME = re.compile(r"^def (x\w+__mutmut_\d+)|^    def (x\w+__mutmut_\d+)", re.MULTILINE)


def names() -> list[str]:
    """All mutants that were written, by the names that mutmut gives them."""
    found: list[str] = []
    for path in sorted((ROOT / "mutants" / "lifecycle").rglob("*.py")):
        module = ".".join(path.relative_to(ROOT / "mutants").with_suffix("").parts)
        found += [f"{module}.{one or other}" for one, other in NAME.findall(path.read_text())]
    return found


def mutmut(*words: str) -> subprocess.CompletedProcess[str]:
    """Run mutmut in the checkout; the core tests with few examples of each property, for they run once a mutant."""
    environment = os.environ | {"HYPOTHESIS_PROFILE": "brief"}
    return subprocess.run([MUTMUT, *words], cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def main() -> int:
    """The exit status: 0 only where each mutant that was asked for was checked."""
    parser = argparse.ArgumentParser(description="List the changes to the core that no core test notices.")
    parser.add_argument("--sample", type=int, default=0, help="how many mutants; all of them by default")
    parser.add_argument("--seed", type=int, default=1, help="which ones")
    parser.add_argument("--show", default="", metavar="NAME", help="print one mutant as a diff, and stop")
    wanted = parser.parse_args()
    if wanted.show:
        print(mutmut("show", wanted.show).stdout)
        return 0
    chosen: list[str] = []
    if wanted.sample:
        mutmut("run", "lifecycle.none_of_this_name*")  # writes the mutants, so that they have names
        every = names()
        chosen = sorted(Random(wanted.seed).sample(every, min(wanted.sample, len(every))))
        print(f"{len(chosen)} of {len(every)} mutants", flush=True)
    done = mutmut("run", "--max-children", "2", *chosen)
    results = dict(
        line.strip().rsplit(": ", 1)
        for line in mutmut("results", "--all", "true").stdout.splitlines()
        if ": " in line
    )
    unchecked = [name for name in chosen or results if results.get(name, UNCHECKED) == UNCHECKED]
    survivors = {name: result for name, result in results.items() if result not in (UNCHECKED, "killed")}
    print("\n".join(f"{result}: {name}" for name, result in survivors.items()) or "no mutant survived")
    print(f"{sum(result == 'killed' for result in results.values())} killed, {len(survivors)} not")
    if done.returncode or unchecked:
        print(f"{len(unchecked)} were not checked\n" + done.stdout[-2000:] + done.stderr[-2000:])
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
