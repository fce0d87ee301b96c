"""What a standstill of a mentorship does to what waits in its people's postboxes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from lifecycle.delivery.postbox import PARTNER_PAUSED, SAFETY_RECEIPT


@dataclass(frozen=True, slots=True)
class Standstill:
    """Why a mentorship's items wait: a hold after a safety report, a pause, both or neither."""

    held: bool = False
    paused: bool = False

    def __bool__(self) -> bool:
        return self.held or self.paused


STILL_PAUSED = "still_paused"
"""What reminds the coordinators of a pause without end."""


def fate_of(kind: str, name: str, task: str, still: Standstill) -> Literal["queued", "held", "dropped"]:
    """What a standstill does to an item; the same answer as `lifecycle.postbox` gives at delivery.

    Items that tell a coordinator of a task or a pause, and the receipt for a safety report, always go; what tells
    the others of a pause goes in spite of it, but not in spite of a hold.
    """
    if name == PARTNER_PAUSED and not still.held:
        return "queued"
    if not still or task or name in (SAFETY_RECEIPT, STILL_PAUSED):
        return "queued"
    return "dropped" if still.paused and kind == "reminder" else "held"
