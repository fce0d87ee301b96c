"""The command `mentorship`, put together. What a command needs is loaded when it runs, so that help comes at once."""

from __future__ import annotations

import os
import sys
from importlib.metadata import version
from typing import Annotated

import typer

from cli.commands import (
    adopt,
    answers,
    cancel,
    change,
    doctor,
    launch,
    people,
    plan,
    reconcile,
    rehearse,
    run,
    seats,
    status,
    tasks,
)
from cli.console import EXIT_CODES

app = typer.Typer(
    name="mentorship",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    # A traceback with local variables would show people's data.
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=f"{EXIT_CODES} Every command takes --help, with examples; most take --json, for scripts.",
)
_ROOMS = (
    plan, rehearse, launch, status, answers, cancel, tasks, change, adopt, seats, people, doctor, reconcile, run,
)  # fmt: skip
for commands in _ROOMS:
    commands.register(app)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"mentorship {version('mentorship-engine')}")
        raise typer.Exit


@app.callback()
def mentorship(
    _: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_version, help="Say which version this is.")
    ] = False,
) -> None:
    """Run mentorship programs: every mail, form, reminder and decision of a
    cohort, from its launch to its end.

    \b
    The way of a cohort:
      mentorship validate config/cohorts/small.yaml   is it in order?
      mentorship plan config/cohorts/small.yaml       who would get what, and when
      mentorship preview invitation                   what it would say
      mentorship rehearse config/cohorts/small.yaml   the whole season, in seconds
      mentorship launch config/cohorts/small.yaml     start it
      mentorship status                               how it stands
      mentorship tasks                                what waits for your decision
      mentorship pause small/m1 --until 3w --dry-run  what a change would do

    \b
    To try everything on this machine, with a mailbox that keeps all mails:
      mentorship up
    """


def main() -> None:
    """The entry point. Exits with the codes that the help names."""
    code = 0
    try:
        app()
    except SystemExit as done:
        code = done.code if isinstance(done.code, int) else int(done.code is not None)
    sys.stdout.flush()
    sys.stderr.flush()
    if "temporalio" in sys.modules:
        # Temporal's SDK can abort when the interpreter takes it down thread by thread.
        os._exit(code)
    sys.exit(code)
