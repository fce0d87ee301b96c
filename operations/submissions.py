"""Ids of what somebody submits: minted with the page, so that the same button pressed twice is one act."""

from __future__ import annotations

import re
from datetime import date
from hashlib import sha256
from secrets import token_urlsafe

FIELD = "submission_id"
"""Name of the hidden field."""
_MINTED = re.compile(r"[A-Za-z0-9_-]{8,64}")


def mint() -> str:
    """A new id for a page with a form."""
    return token_urlsafe(16)


def submission_id(submitted: str, *content: object) -> str:
    """The id that came with a form; where it is none that we could have minted, one made of the content."""
    return submitted if _MINTED.fullmatch(submitted) else _digest(submitted, *content)


def act_id(submitted: str, today: date, *content: object) -> str:
    """The id of an act that is done once for each content: the same page sent again with something else in it is
    another act. Where no id of ours came with it, it is done once on a day (a calendar date)."""
    return _digest(submitted if _MINTED.fullmatch(submitted) else str(today), *content)


def _digest(*content: object) -> str:
    return sha256(repr(content).encode("utf-8", "replace")).hexdigest()[:32]
