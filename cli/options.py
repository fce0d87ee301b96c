"""What every change of mentorships is told beside what it does: which of them, how it is meant, by whom and why."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from functools import wraps
from inspect import Parameter, Signature, signature
from typing import Annotated, Any

import typer

from cli.bulk import ChangeOptions, Which
from cli.commands.people import By, DryRun, Why
from cli.commands.plan import AsJson

MANY = "Which, if not by key"

Keys = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[COHORT/KEY]...", help="Which; KEY alone where only one cohort has it.", show_default=False
    ),
]
From = Annotated[
    str,
    typer.Option(
        "--from", metavar="FILE", rich_help_panel=MANY, help="Those in this file, one a line; - is standard input."
    ),
]
Cohort = Annotated[str, typer.Option(metavar="COHORT", rich_help_panel=MANY, help="All of this cohort that run.")]
Phase = Annotated[str, typer.Option(metavar="PHASE", rich_help_panel=MANY, help="Only those in this phase.")]
Health = Annotated[str, typer.Option(metavar="HEALTH", rich_help_panel=MANY, help="Only those in this health.")]
Person = Annotated[
    str, typer.Option(metavar="WHO", rich_help_panel=MANY, help="Only those of this person: id, name or address.")
]
Awaiting = Annotated[
    bool, typer.Option("--awaiting", rich_help_panel=MANY, help="Only those that wait for an answer.")
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do it without asking.")]
Again = Annotated[bool, typer.Option("--again", help="Once more, though it was done today already.")]

FILTERS = {"cohort": Cohort, "phase": Phase, "health": Health, "person": Person}
SHARED: dict[str, tuple[Any, Any]] = {
    "listed": (From, ""),
    **{name: (option, "") for name, option in FILTERS.items()},
    "awaiting": (Awaiting, False),
    "again": (Again, False),
    "dry_run": (DryRun, False),
    "yes": (Yes, False),
    "by": (By, ""),
    "why": (Why, ""),
    "json": (AsJson, False),
}
"""Options that follow those of the command itself: name to its type and what it is where it is left out."""


def of_many(*, without: tuple[str, ...] = ()) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """A command that changes mentorships. It gets `which` and `options`, made of those of SHARED that it has."""

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        parameters = signature(command, eval_str=True).parameters
        own = [one for name, one in parameters.items() if name not in ("which", "options")]
        shared = [_option(name, *SHARED[name]) for name in SHARED if name not in without]
        options = [_option("keys", Keys, None), *(one.replace(kind=Parameter.KEYWORD_ONLY) for one in own), *shared]

        @wraps(command)
        def told(**said: Any) -> None:
            filters = {name: said.pop(name, "") for name in FILTERS}
            which = Which(said.pop("keys") or (), said.pop("listed"), filters, said.pop("awaiting"))
            options = ChangeOptions(
                **{one.name: said.pop(one.name) for one in fields(ChangeOptions) if one.name in said}
            )
            command(which=which, options=options, **said)

        # What typer reads.
        told.__signature__ = Signature(options)  # pyright: ignore[reportAttributeAccessIssue]
        told.__annotations__ = {one.name: one.annotation for one in options}
        return told

    return decorate


def _option(name: str, annotation: Any, default: Any) -> Parameter:
    return Parameter(name, Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
