"""What the link of a request lets its holder do (lifecycle 3): one rule for the pages and the rehearsal."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

Access = Literal["open", "late", "withdrawn", "superseded", "over"]
"""Answer, answer although the window has closed, or only be told why not."""

WITHOUT_CLOSE = "are_you_there"
"""The ask whose links work until the mentorship is closed."""
AFTER_END = "follow_up"
"""The ask that runs after the mentorship is closed; it takes answers until its own close."""


def access_of(ask: str, state: str, closes_at: datetime, now: datetime, *, paused: bool, over: bool) -> Access:
    """What a request of this ask, in this state and with this end of its window (UTC), lets its holder do now.

    `paused` and `over` say how its mentorship stands.
    """
    if state == "withdrawn":
        return "withdrawn"
    if state == "superseded":
        return "superseded"
    if over and ask != AFTER_END:
        return "over"
    # In a pause nothing falls due: the window moves when it ends.
    in_window = state in ("open", "answered") and (now < closes_at or paused)
    if in_window or ask == WITHOUT_CLOSE:
        return "open"
    return "over" if over else "late"
