"""What every model that is read from a file has in common."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

ID_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$"
Id = Annotated[str, Field(pattern=ID_PATTERN)]
"""An id that coordinators choose. Ids are visible in Temporal, so they must say nothing about a person."""


class Model(BaseModel):
    """Base of everything that is read from a file: immutable, and an unknown key is a fault."""

    model_config = ConfigDict(frozen=True, extra="forbid")
