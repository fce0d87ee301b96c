"""`make faults` in short: three faults in one small season, from the launch to the count."""

from __future__ import annotations

from pathlib import Path

import pytest

from testing.servers.sink import ACCEPT, DROP
from tools.faults.catalogue import FAULTS, FaultCase
from tools.faults.installation import Size, Town
from tools.faults.outages import outage
from tools.faults.run import played


async def one_after_the_other(here: Town) -> int:
    """The relay drops what it took, a worker is killed, then relay, worker and database are away in turn."""

    async def dropped() -> bool:
        return here.sink.unkind > 0

    here.sink.script("", DROP, DROP, ACCEPT)
    await here.until(dropped)
    here.kill(here.chance.choice(sorted(here.workers)))
    await here.add_worker()
    return min(await outage(here), here.kills)


@pytest.mark.timeout(600)
async def test_a_season_in_which_everything_goes_wrong_is_survived(tmp_path: Path) -> None:
    fault = FaultCase("everything", one_after_the_other, on_postgresql=True, deaths=True)
    one = await played(tmp_path, fault, 1, Size(pairs=3, seconds=20))
    assert one.troubles == ()
    assert one.times > 0
    assert one.tally.mails > 0
    assert one.tally.ambiguous + one.tally.not_repeated > 0, "the relay took mails without saying so"


def test_the_counts_of_every_fault_are_told() -> None:
    rows = (Path(__file__).parents[2] / "docs" / "faults.md").read_text("utf-8").splitlines()
    told = [row.split("|")[1].strip() for row in rows if row.startswith("| ") and row.count("|") == 13]
    assert told[2:] == [fault.says for fault in FAULTS.values()]
