"""The hash of what a program says: the one name by which a version of it is known, in files and in the store.

Must stay the same for the same content, or a cohort that is launched again would seem to have changed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from program.forms import Form
from program.models import Program

KEPT = 32
"""Programs whose content is kept: as many as an installation uses at a time."""


@dataclass(frozen=True, slots=True)
class Content:
    """What a program and its forms say, as JSON, and its hash: SHA-256, the same whatever the comments of a file are.
    Must not be changed: it is worked out once for a program."""

    program: Mapping[str, Any]
    forms: Mapping[str, Any]
    hash: str


def content_of(program: Program, forms: Mapping[str, Form]) -> Content:
    """What a program says, forms included. Both never change once they are read, so the last ones are remembered."""
    return _content(_Said(program, forms))


def content_hash(program: Program, forms: Mapping[str, Form]) -> str:
    """The hash of what a program says, forms included."""
    return content_of(program, forms).hash


@dataclass(frozen=True, slots=True, eq=False)
class _Said:
    """Equal to what holds the very same objects."""

    program: Program
    forms: Mapping[str, Form]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Said) and self.program is other.program and self.forms is other.forms

    def __hash__(self) -> int:
        return hash((id(self.program), id(self.forms)))


@lru_cache(maxsize=KEPT)
def _content(said: _Said) -> Content:
    body = said.program.model_dump(mode="json")
    dumped = {id_: said.forms[id_].model_dump(mode="json") for id_ in sorted(said.forms)}
    text = json.dumps({"program": body, "forms": dumped}, sort_keys=True, ensure_ascii=False)
    return Content(body, dumped, hashlib.sha256(text.encode()).hexdigest())
