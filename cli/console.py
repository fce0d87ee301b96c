"""How the command line speaks: results on standard output, everything else on standard error.

With `--json` nothing but JSON goes to standard output. Names are fine here, for the terminal is the coordinator's.
An expected failure is a few words that say what to do, and never a traceback.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from collections.abc import Callable, Coroutine, Iterable
from datetime import date
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar

import typer

from runtime.errors import EXIT_CODES, FAULTY, INTERRUPTED, REFUSED, UNREACHABLE

__all__ = ["EXIT_CODES", "FAULTY", "INTERRUPTED", "REFUSED", "UNREACHABLE"]

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from runtime.settings import Settings

R = TypeVar("R")

WIDE = 160
"""Columns where the output is no terminal: tables are then not broken at 80."""


def out() -> Console:
    """The console for results."""
    from rich.console import Console

    return Console(highlight=False, soft_wrap=False, width=None if sys.stdout.isatty() else WIDE)


def err() -> Console:
    """The console for everything else: progress, hints, failures."""
    from rich.console import Console

    return Console(stderr=True, highlight=False)


def say_json(value: Any) -> None:
    """The result for a script: one JSON value and nothing else. What a terminal would act on is escaped."""
    from program.text import CONTROLS

    written = json.dumps(value, ensure_ascii=False, indent=2)
    sys.stdout.write(CONTROLS.sub(lambda found: f"\\u{ord(found[0]):04x}", written) + "\n")


def say_text(value: str) -> None:
    """Text for the terminal or a file, as it is, but for what a terminal would act on."""
    from program.text import CONTROLS

    sys.stdout.write(CONTROLS.sub("", value))


def table(*columns: str, title: str = "") -> Table:
    """An empty table that stays readable in a narrow terminal."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    made = Table(box=SIMPLE_HEAD, title=title or None, title_justify="left", pad_edge=False, title_style="bold")
    for column in columns:
        made.add_column(column, overflow="fold")
    return made


def text(value: object) -> str:
    """What people wrote, to be shown in a table: brackets in it are no markup, control characters are left out."""
    from rich.markup import escape

    return escape("".join(char for char in str(value) if char.isprintable() or char == "\n"))


def names(people: Iterable[Any]) -> str:
    """People as a list of names."""
    return ", ".join(text(person.name) for person in people)


def members(people: Iterable[Any]) -> str:
    """Those who have a seat in a mentorship, by name; who had one before is named as former."""
    listed = list(people)
    former = names(person for person in listed if person.standing == "out")
    seated = names(person for person in listed if person.standing != "out")
    return f"{seated} [dim](formerly {former})[/]".strip() if former else seated


def on(day: date | None) -> str:
    """A date with its weekday: `Mon 2027-03-01`."""
    return f"{day:%a} {day.isoformat()}" if day else ""


def settings(*, of_stack: bool = True) -> Settings:
    """The settings of this installation; names those that make no sense, and ends the command.

    `of_stack`: beside an embedded stack, as that runs.
    """
    from pydantic import ValidationError

    from runtime.settings import Settings, load_settings

    try:
        return load_settings() if of_stack else Settings()
    except ValidationError as bad:
        for error in bad.errors(include_input=False, include_url=False):
            name = "MENTORSHIP_" + "_".join(str(part) for part in error["loc"]).upper()
            err().print(f"[red]{name}[/]: {text(error['msg'].removeprefix('Value error, '))}")
        raise typer.Exit(FAULTY) from None


def run(work: Callable[[], Coroutine[Any, Any, R]]) -> R:
    """Run asynchronous work to its end, with logs on standard error."""
    from runtime.logs import set_up_logs

    set_up_logs(level=logging.WARNING)
    return asyncio.run(work())


def plainly(command: Callable[..., None]) -> Callable[..., None]:
    """A command whose expected failures are told in plain words, with the right exit code."""

    @wraps(command)
    def spoken(*args: Any, **kwargs: Any) -> None:
        try:
            command(*args, **kwargs)
        except (typer.Exit, typer.Abort):
            raise
        except KeyboardInterrupt:
            err().print("\nStopped. Nothing is half done; running the command again goes on from here.")
            raise typer.Exit(INTERRUPTED) from None
        except BrokenPipeError:
            raise typer.Exit(0) from None
        except Exception as error:
            from operations.explain import explain

            explained = explain(error)
            if explained is None:
                raise
            from cli.remedies import remedy_of

            fail("\n".join(filter(None, (explained.message, remedy_of(error)))), explained.code)

    return spoken


def fail(message: str, code: int) -> None:
    """End the command with a message that says what is wrong, and below it what to do."""
    first, _, rest = message.partition("\n")
    err().print(f"[bold red]✗[/] {text(first)}", soft_wrap=True)
    if rest:
        err().print(text(rest), soft_wrap=True)
    raise typer.Exit(code)


def confirm(question: str, unasked: str, otherwise: str) -> None:
    """Ask, and end the command with `otherwise` where the answer is no, with `unasked` where nobody can be asked."""
    if not sys.stdin.isatty():
        fail(unasked, REFUSED)
    if not typer.confirm(question, err=True):
        fail(otherwise, REFUSED)
