"""Errors of what coordinators ask for; each says what is wrong, and what would work."""

from __future__ import annotations

from runtime.errors import ExpectedError


class Refused(ExpectedError):
    """What was asked for makes no sense as given; nothing was changed."""


class NotFound(ExpectedError, LookupError):
    """Nothing goes by this name; the message says what there is."""

    def __str__(self) -> str:
        # A KeyError would quote its message; this one is shown to people.
        return str(self.args[0]) if self.args else ""
