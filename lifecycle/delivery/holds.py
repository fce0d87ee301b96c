"""What a standstill of a mentorship does to what waits in its people's postboxes: a pause, or the hold after a safety
report, which lasts until it is released, after the end as well (lifecycle 5 and 8).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from lifecycle.commands import Snapshot

SAFETY_RECEIPT = "safety_received"
"""The one item that no hold and no pause keeps back: the person who reports a concern learns that it has arrived."""

MAY_CONTACT = "contact"
"""What that receipt is about, where the reporter said that they may be contacted."""

PARTNER_PAUSED = "partner_paused"
"""What tells the others of a pause. The pause itself does not keep it back, or it would come when all is over."""

STILL_PAUSED = "still_paused"
"""What reminds the coordinators of a pause without end."""


@dataclass(frozen=True, slots=True)
class Standstill:
    """Why a mentorship's items wait: a hold after a safety report, a pause, both or neither."""

    held: bool = False
    paused: bool = False
    withheld: bool = False
    """What the hold keeps back goes out no more."""

    def __bool__(self) -> bool:
        return self.held or self.paused

    @classmethod
    def of(cls, now: Snapshot, *, withhold: bool = False) -> Standstill:
        """The standstill of a mentorship that stands so. Its end ends a pause, and no hold."""
        return cls(now.held, bool(now.paused_until) and not now.over, withhold)


Fate = Literal["queued", "held", "paused", "over"]
"""What becomes of an item: it waits for its moment, or for the end of the standstill; or it is dropped for this
reason (`DropReason`)."""


def keeps_back(name: str, still: Standstill) -> bool:
    """Whether a standstill keeps an item of this name from a member of the mentorship."""
    if name in (SAFETY_RECEIPT, STILL_PAUSED):
        return False
    return still.held or still.withheld or (still.paused and name != PARTNER_PAUSED)


def fate_of(kind: str, name: str, task: str, still: Standstill) -> Fate:
    """What a standstill does to an item; the same answer as `lifecycle.postbox` gives at delivery.

    Items that tell a coordinator of a task always go.
    """
    if task or not keeps_back(name, still):
        return "queued"
    if still.withheld:
        return "over"
    return "paused" if still.paused and kind == "reminder" else "held"
