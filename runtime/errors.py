"""Errors with a remedy for the user, and the exit codes of the command.

An error of this kind is shown by its message alone; any other is a mistake in the engine and keeps its traceback.
"""

from __future__ import annotations

from typing import ClassVar

FAULTY = 1
"""The file, or the installation, has faults."""
REFUSED = 2
"""The command makes no sense, or its object does not exist; nothing was changed."""
UNREACHABLE = 3
"""Something that is needed does not answer or is not ready."""
INTERRUPTED = 130
"""Ended by Ctrl-C, as shells have it."""

EXIT_CODES = (
    f"Exit codes: 0 all is well · {FAULTY} the file or the installation has faults · {REFUSED} refused, or no such "
    f"thing · {UNREACHABLE} something that is needed does not answer."
)


class ExpectedError(Exception):
    """The first line of the message is the problem, the lines below are the remedy."""

    exit_code: ClassVar[int] = REFUSED

    @property
    def problem(self) -> str:
        """The problem."""
        return str(self).partition("\n")[0]

    @property
    def remedy(self) -> str:
        """The remedy; empty if the problem names it."""
        return str(self).partition("\n")[2]


class Unreachable(ExpectedError):
    """Something that is needed does not answer, or is not ready."""

    exit_code = UNREACHABLE
