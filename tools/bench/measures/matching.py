"""Matching: scoring and solving, the prices of every pair, peers, and what SciPy takes for the same instance.

python -m tools.bench.measures.matching PEOPLE      prints JSON: CPU seconds of each part for so many mentees

All of it runs on one core and waits for nothing, so CPU time is what it takes, however busy the machine is.

SciPy is no dependency of the engine, and too large to install for every run of the tests: it has a group of its own,
`bench`. Where it is not installed the ratio to `linear_sum_assignment` is left out, and that is said.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from importlib import import_module
from types import ModuleType
from typing import Any

from matching.applicants import Applicant
from matching.candidates import candidates
from matching.objective import Result, match
from matching.peers import match_peers
from matching.prices import AllPrices, Prices
from program.matching import THREE_PEERS, Matching
from tools.bench.cpu import most_memory
from tools.bench.table import Line

ON = date(2027, 1, 18)
GRADES = ("AA", "AO", "EO", "HEO", "SEO", "G7", "G6")
RULES = Matching.model_validate(
    {
        "rules": [
            {"different": "unit"},
            {"same": "languages"},
            {"same": "region"},
            {"above": "grade", "by": [1, 2], "order": list(GRADES)},
            {"not_in_line": "manager"},
        ],
        "score": [
            {"steps": "grade", "points": {1: 9, 2: 12}},
            {"equal": "profession", "points": 10},
            {"wanted": "wants", "offered": "offers", "points": [12, 8, 5]},
            {"wish": "mentee", "points": [30, 20, 10]},
        ],
    }
)
REGIONS = {500: 1, 3000: 8}
"""Number of mentees to regions between which nobody is matched: about 40,000 and 180,000 candidates."""
PEERS = RULES.model_copy(
    update={
        "rules": tuple(rule for rule in RULES.rules if rule.kind != "above"),
        "score": tuple(score for score in RULES.score if score.kind != "steps"),
    }
)


async def measure(*, quick: bool) -> list[Line]:
    """500 with all prices, and, if not quick, 3,000."""
    small = await _in_its_own_process(500)
    lines = [
        Line(f"matching 500 × 500, {small['candidates']:,} candidates, with scoring", small["match"], "s", aim=0.6,
             better="less"),
        Line("… prices of one person", small["one"] * 1000, "ms", aim=50, better="less"),
        Line("… prices of all pairs", small["all"], "s", aim=1.0, better="less"),
        Line("500 peers", small["peers"], "s"),
        Line("501 peers, of whom three meet", small["three"], "s"),
    ]  # fmt: skip
    if small["scipy"] is None:
        print(
            "SciPy is NOT installed here: the ratio to linear_sum_assignment is NOT measured. "
            "Install it by `.venv/bin/python -m pip install scipy`",
            file=sys.stderr,
        )
    else:
        floor = (
            "scipy.optimize.linear_sum_assignment on a dense matrix of the same instance, every mentor once a place"
        )
        lines.append(Line("… solving alone", small["solve"], "s", small["scipy"], floor, better="less"))
    if not quick:
        large = await _in_its_own_process(3000)
        what = f"matching 3,000 × 3,000, {large['candidates']:,} candidates, with scoring"
        lines.append(Line(what, large["match"], "s", aim=3.0, better="less"))
        lines.append(Line("… memory", large["megabytes"], "MB", aim=250, better="less"))
    return lines


async def _in_its_own_process(people: int) -> dict[str, Any]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", __name__, str(people), stdout=asyncio.subprocess.PIPE
    )
    output, _ = await process.communicate()
    return json.loads(output)


def _pool(people: int) -> list[Applicant]:
    draw = random.Random(people)
    tags = [f"tag{number}" for number in range(12)]
    regions = REGIONS.get(people, 1)
    found: list[Applicant] = []
    for is_mentee in (True, False):
        for number in range(people):
            grades = GRADES[:-1] if is_mentee else GRADES[1:]
            fields = {
                "unit": f"u{draw.randrange(10)}",
                "languages": tuple(draw.sample(("de", "en", "fr"), draw.choice((1, 1, 2)))),
                "region": f"r{draw.randrange(regions)}",
                "grade": draw.choice(grades),
                "profession": f"p{draw.randrange(8)}",
                "wants": tuple(draw.sample(tags, 3)),
                "offers": tuple(draw.sample(tags, 3)),
                "manager": f"m{draw.randrange(people):04}" if is_mentee and draw.random() < 0.3 else "",
            }
            found.append(
                Applicant(
                    f"{'s' if is_mentee else 'm'}{number:04}",
                    mentor=not is_mentee,
                    mentee=is_mentee,
                    capacity=1 if is_mentee else draw.choice((1, 1, 2)),
                    fields=fields,
                    wishes_as_mentee=tuple(f"m{draw.randrange(people):04}" for _ in range(3)),
                )
            )
    return found


def _timed(act: Callable[[], Any]) -> float:
    began = time.process_time()
    act()
    return time.process_time() - began


def _measured(people: int) -> dict[str, Any]:
    pool = _pool(people)
    began = time.process_time()
    result = match(candidates(pool, RULES, ON))
    found: dict[str, Any] = {
        "match": time.process_time() - began,
        "candidates": sum(map(len, result.candidates.of)),
        "megabytes": most_memory(),
    }
    if people <= 500:
        mentees = range(0, people, 50)
        found["one"] = max(_timed(lambda one=one: Prices(result, one).all()) for one in mentees)
        found["all"] = _timed(lambda: _all_prices(result))
        alone = candidates([replace(person, capacity=1) for person in pool], RULES, ON)
        scores = match(alone).scores
        found["solve"] = _timed(lambda: match(alone, scores=scores))
        found["scipy"] = _scipy(match(alone, scores=scores))
        half = [replace(person, mentor=True, mentee=True) for person in pool[:people]]
        found["peers"] = _timed(lambda: match_peers(half, PEERS, ON))
        odd = [replace(person, mentor=True, mentee=True) for person in pool[: people + 1]]
        three = PEERS.model_copy(update={"groups": THREE_PEERS})
        found["three"] = _timed(lambda: match_peers(odd, three, ON))
    return found


def _all_prices(result: Result) -> None:
    prices = AllPrices(result)
    for mentee, of in enumerate(result.candidates.of):
        for mentor in of:
            prices.levels(mentee, mentor)


def _scipy(result: Result) -> float | None:
    """CPU seconds of SciPy for the same people, checked to reach as much; None where SciPy is not installed."""
    try:
        optimize: ModuleType = import_module("scipy.optimize")
        numpy: ModuleType = import_module("numpy")
    except ImportError:
        return None
    highest = max(max(of.values(), default=0) for of in result.scores.maps)
    served = (highest + 1) * len(result.candidates.mentees)
    weights = numpy.zeros((len(result.candidates.mentees), len(result.candidates.mentors)))
    for mentee, of in enumerate(result.scores.maps):
        for mentor, score in of.items():
            weights[mentee, mentor] = served + score
    began = time.process_time()
    rows, columns = optimize.linear_sum_assignment(weights, maximize=True)
    spent = time.process_time() - began
    totals = result.totals
    assert round(weights[rows, columns].sum()) == totals.served * served + totals.score
    return spent


if __name__ == "__main__":
    print(json.dumps(_measured(int(sys.argv[1]))))
