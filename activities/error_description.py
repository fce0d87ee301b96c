"""What may be said of an error: its kind, its place, and the constraint of the database that it broke.

The words of an error may hold anything: PostgreSQL's DETAIL quotes the row, a parser the text, a relay the address.
They must never reach Temporal, where they would stand in histories and in the UI, nor a log.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from traceback import walk_tb
from types import TracebackType

ROOT = Path(__file__).resolve().parent.parent
PASSED = ROOT / "store" / "sqlite.py"
"""Every statement goes through it: it is never the place that somebody looks for."""
SQLITE_CONSTRAINT = re.compile(r"(UNIQUE|NOT NULL|CHECK|FOREIGN KEY|PRIMARY KEY) constraint failed(?:: ([\w., ]+))?")
"""SQLite names the columns of a constraint, and never a value."""


def kind_of(error: BaseException) -> str:
    """The classes of an error and of what it came from, outermost first: `IntegrityError < UniqueViolation`."""
    return " < ".join(type(each).__name__ for each in causes_of(error))


def place_of(error: BaseException) -> str:
    """The innermost line of ours at which an error was raised, or else the innermost of all: `file:line in name`."""
    places = list(_places(error.__traceback__))
    ours = [place for place in places if _is_ours(place[0])]
    for path, line, name in reversed(ours or places):
        return f"{path.relative_to(ROOT) if path.is_relative_to(ROOT) else path.name}:{line} in {name}"
    return ""


def constraint_of(error: BaseException) -> str:
    """The constraint of the database that was broken: its name, or on SQLite its kind and columns; or empty."""
    for each in causes_of(error):
        name = getattr(getattr(each, "diag", None), "constraint_name", None)
        if isinstance(name, str) and name:
            return name
        if type(each).__module__ == "sqlite3" and (found := SQLITE_CONSTRAINT.fullmatch(str(each))):
            return f"{found[1].lower()} {found[2] or ''}".strip()
    return ""


def described(error: BaseException) -> str:
    """Kind, place and constraint in one line."""
    place, constraint = place_of(error), constraint_of(error)
    return "".join(
        (kind_of(error), f" at {place}" if place else "", f", constraint {constraint}" if constraint else "")
    )


def causes_of(error: BaseException | None) -> list[BaseException]:
    """An error and what it came from, each once."""
    found: list[BaseException] = []
    while error is not None and error not in found:
        found.append(error)
        wrapped = getattr(error, "orig", None)  # SQLAlchemy keeps the driver's own error there
        error = (
            wrapped
            if isinstance(wrapped, BaseException)
            else error.__cause__ or (None if error.__suppress_context__ else error.__context__)
        )
    return found


def _is_ours(path: Path) -> bool:
    return path.is_relative_to(ROOT) and ".venv" not in path.parts and path != PASSED


def _places(trace: TracebackType | None) -> Iterator[tuple[Path, int, str]]:
    for frame, line in walk_tb(trace):
        yield Path(frame.f_code.co_filename), line, frame.f_code.co_name
