"""Errors that a person can do something about, and the exit codes of the command.

An error of this kind is shown by its message alone; any other is a mistake in the engine and keeps its traceback.
"""

from __future__ import annotations

from typing import ClassVar

FAULTY = 1
"""The file, or the installation, has faults."""
REFUSED = 2
"""What was asked for makes no sense, or there is no such thing; nothing was changed."""
UNREACHABLE = 3
"""Something that is needed does not answer or is not ready."""
INTERRUPTED = 130
"""Ended by Ctrl-C, as shells have it."""

EXIT_CODES = (
    f"Exit codes: 0 all is well · {FAULTY} the file or the installation has faults · {REFUSED} refused, or no such "
    f"thing · {UNREACHABLE} something that is needed does not answer."
)


class ExpectedError(Exception):
    """What is wrong in the first line of its message, what to do about it in the lines below."""

    exit_code: ClassVar[int] = REFUSED

    @property
    def problem(self) -> str:
        """What is wrong."""
        return str(self).partition("\n")[0]

    @property
    def remedy(self) -> str:
        """What to do about it; empty where the problem says it."""
        return str(self).partition("\n")[2]


class Unreachable(ExpectedError):
    """Something that is needed does not answer, or is not ready."""

    exit_code = UNREACHABLE
