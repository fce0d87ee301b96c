"""Options that several commands have, each once."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from cli.console import REFUSED, fail

File = Annotated[
    Path,
    typer.Argument(help="The cohort's file, such as config/cohorts/small.yaml, or its name.", show_default=False),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON only, for scripts.")]


def _one_character(separator: str) -> str:
    if len(separator) != 1 or separator in '"\r\n':
        fail("--separator takes one character, such as ; or ,", REFUSED)
    return separator


Separator = Annotated[
    str,
    typer.Option(
        metavar="CHAR",
        callback=_one_character,
        help="With --csv: what separates its columns; , where numbers are 1.5.",
    ),
]
Today = Annotated[
    datetime | None,
    typer.Option(formats=["%Y-%m-%d"], metavar="DATE", help="Look at it as on this date.", show_default="today"),
]
OfCohort = Annotated[
    str, typer.Option("--cohort", metavar="COHORT", help="The same as an option.", show_default=False)
]
PersonArgument = Annotated[str, typer.Argument(help="The person: id, address or name.", show_default=False)]

By = Annotated[
    str,
    typer.Option("--as", metavar="WHO", help="Who decides: id, name or address of a coordinator or deputy."),
]
Why = Annotated[str, typer.Option(metavar="TEXT", help="The reason, for the record. Participants don't see it.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would change, and do nothing.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do it without asking.")]
Again = Annotated[bool, typer.Option("--again", help="Once more, though it was done today already.")]

NewName = Annotated[str, typer.Option(help="Name of a newcomer who is not known yet.", show_default=False)]
NewEmail = Annotated[str, typer.Option(help="Address of a newcomer who is not known yet.", show_default=False)]
NewZone = Annotated[str, typer.Option(help="Zone of a newcomer.", show_default="the cohort's")]

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
