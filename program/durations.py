"""Durations and step dates as a coordinator writes them: `3d`, `2w`, `start - 21d`.

A day is a calendar day, never 24 hours (lifecycle 2.1).
"""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo, model_validator

_DURATION = re.compile(r"^\s*(\d+)\s*([dw])\s*$")
_STEP_DATE = re.compile(r"^\s*(start|midpoint|end)\s*(?:([+-])\s*(\d+\s*[dw]))?\s*$")

Anchor = Literal["start", "midpoint", "end"]

DAYS_AT_MOST = 3660
"""Ten years: nothing in a mentorship lies further away, and dates stay within what a calendar knows."""


def days_of(value: object) -> int:
    """Calendar days in a duration such as `3d` or `2w`; an int is taken as days.

    Raises ValueError with what to write instead.
    """
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= DAYS_AT_MOST:
        return value
    found = _DURATION.match(value) if isinstance(value, str) and len(value) <= 20 else None
    if found is None:
        raise ValueError(
            f"`{str(value)[:40]}` is no duration; write a number and d (days) or w (weeks), such as 3d or 2w"
        )
    days = int(found[1]) * (7 if found[2] == "w" else 1)
    if days > DAYS_AT_MOST:
        raise ValueError(f"`{value}` is too long; write ten years at most")
    return days


UNITS_NEEDED = "units_needed"
"""Validation context for a file in which every duration names its unit: a bare `20` may be meant as weeks. Stored
programs hold days as bare numbers, and are read without it."""


def _days(value: object, info: ValidationInfo) -> int:
    context: object = info.context
    if type(value) is int and value > 0 and isinstance(context, dict) and UNITS_NEEDED in context:
        raise ValueError(f"`{value}` has no unit; write {value}w for weeks or {value}d for days")
    return days_of(value)


Days = Annotated[int, BeforeValidator(_days)]
"""A duration in whole calendar days."""


class StepDate(BaseModel):
    """A date relative to a mentorship: `anchor ± offset` (lifecycle 2.3). Offset in calendar days."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    anchor: Anchor
    offset: int = Field(default=0, ge=-DAYS_AT_MOST, le=DAYS_AT_MOST)

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        found = _STEP_DATE.match(value)
        if found is None:
            raise ValueError(
                f"`{value[:40]}` is no step date; write start, midpoint or end, "
                "with an offset if you like, such as start + 14d or end - 3d"
            )
        offset = days_of(found[3]) if found[3] else 0
        return {"anchor": found[1], "offset": -offset if found[2] == "-" else offset}

    def on(self, start: date, midpoint: date, end: date) -> date:
        """The calendar date for a mentorship with these three dates."""
        anchor = {"start": start, "midpoint": midpoint, "end": end}[self.anchor]
        return anchor + timedelta(days=self.offset)
