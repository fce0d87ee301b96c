"""The command `mentorship`, put together.

The module of a command is loaded when that command runs, or when the help is asked for: nothing waits for what
another command needs. So no module of `cli` imports at its top what takes long (the SDK of Temporal, SQLAlchemy).
"""

from __future__ import annotations

import os
import sys
from collections import UserDict
from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typer.main import get_group

from runtime.errors import EXIT_CODES

COMMANDS = {
    "plan": ("validate", "plan", "preview"),
    "match": ("match",),
    "applicants": ("applicants",),
    "publish": ("publish", "export-cohort"),
    "rehearse": ("rehearse",),
    "launch": ("launch",),
    "status": ("status", "show", "ledger"),
    "answers": ("answers",),
    "report": ("report",),
    "giving_back": ("giving-back",),
    "voices": ("voices",),
    "notes": ("note",),
    "message": ("message", "messages"),
    "reword": ("reword",),
    "cancel": ("cancel-cohort",),
    "tasks": ("tasks", "decide"),
    "change": ("pause", "resume", "extend", "end", "nudge", "release"),
    "adopt": ("adopt",),
    "seats": ("replace", "add", "remove", "leave"),
    "people": ("correct", "erase", "bounces"),
    "send_link": ("send-link",),
    "doctor": ("doctor", "migrate", "register"),
    "backup": ("backup",),
    "reconcile": ("reconcile",),
    "run": ("up", "worker", "web"),
    "sign_in": ("sign-in",),
}
"""Module of `cli.commands` to the commands that its `register` adds; in the order of the help."""


def commands_of(module: str) -> dict[str, Any]:
    """The commands that a module of `cli.commands` adds, by name."""
    # A traceback with local variables would show people's data.
    alone = typer.Typer(rich_markup_mode="rich", pretty_exceptions_enable=False)
    import_module(f"cli.commands.{module}").register(alone)
    return dict(get_group(alone).commands)


class _Commands(UserDict[str, Any]):
    """Name to command; each is made from its module when it is asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.data = {name: module for module, names in COMMANDS.items() for name in names}

    def __getitem__(self, name: str) -> Any:
        found = self.data[name]
        if isinstance(found, str):
            self.data.update(commands_of(found))
        return self.data[name]


class LazyGroup(TyperGroup):
    """A group whose commands are loaded one module at a time."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.commands = _Commands()


app = typer.Typer(
    name="mentorship",
    cls=LazyGroup,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=f"{EXIT_CODES} Every command takes --help, with examples; most take --json, for scripts.",
)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

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
    To try everything on this machine, with a mailbox that keeps all mails:
      mentorship up

    \b
    What its mails say:
      mentorship preview invitation

    \b
    From a cohort's file to decisions. The files named here are in a checkout
    of the engine, and in its image; yours can be anywhere:
      mentorship validate config/cohorts/small.yaml   is it in order?
      mentorship plan config/cohorts/small.yaml       who would get what, and when
      mentorship rehearse config/cohorts/small.yaml   the whole season, in seconds
      mentorship launch config/cohorts/small.yaml     start it
      mentorship status                               how it stands
      mentorship tasks                                what waits for your decision
      mentorship pause small/m1 --until 3w --dry-run  what a change would do
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
