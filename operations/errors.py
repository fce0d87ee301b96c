"""Errors of what coordinators ask for; each says what is wrong, and what would work."""

from __future__ import annotations

from runtime.errors import ExpectedError


class Refused(ExpectedError):
    """What was asked for makes no sense as given; nothing was changed. The message is the reason, in words that hold
    on pages and on the command line."""

    def __init__(self, reason: str, *, use: str = "") -> None:
        super().__init__(reason)
        self.use = use
        """What would help; the command line has its own word for it (`cli.remedies`), and a page a field."""


class NotFound(ExpectedError, LookupError):
    """Nothing goes by this name; the message says what there is."""

    def __init__(self, reason: str = "", *, use: str = "") -> None:
        super().__init__(reason)
        self.use = use
        """As for `Refused`."""

    def __str__(self) -> str:
        # A KeyError would quote its message; this one is shown to people.
        return str(self.args[0]) if self.args else ""
