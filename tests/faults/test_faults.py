"""`make faults` in short: one fault on a tiny cohort, from the launch to the count."""

from __future__ import annotations

from pathlib import Path

import pytest

from faults.catalogue import FAULTS
from faults.played import played
from faults.town import Size


@pytest.mark.timeout(240)
async def test_a_relay_that_drops_what_it_took_is_survived(tmp_path: Path) -> None:
    one = await played(tmp_path, FAULTS["drops"], 1, Size(pairs=2, seconds=15))
    assert one.troubles == ()
    assert one.tally.ambiguous > 0, "the relay took mails without saying so, and got them once more"
    assert one.tally.mails > 0
