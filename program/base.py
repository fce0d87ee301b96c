"""What every model that is read from a file has in common."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

ID_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$"
Id = Annotated[str, Field(pattern=ID_PATTERN)]
"""An id that coordinators choose. Ids are visible in Temporal, so they must say nothing about a person."""


def _calendar_date(value: Any) -> Any:
    if isinstance(value, int | float):
        raise ValueError(f"`{value}` is no date; write year-month-day, such as 2027-03-01")
    return value


CalendarDate = Annotated[date, BeforeValidator(_calendar_date)]
"""A date; a bare number, which could be read as seconds since 1970, is none."""


class Model(BaseModel):
    """Base of everything that is read from a file: immutable, and an unknown key is a fault."""

    model_config = ConfigDict(frozen=True, extra="forbid")
