"""Writing to people: what is written and whom it reaches is shown first, and then confirmed."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.console import (
    EXIT_CODES,
    REFUSED,
    confirm,
    err,
    fail,
    out,
    plainly,
    run,
    say_json,
    settings,
    table,
    text,
)
from cli.options import AsJson, By, DryRun, Yes
from program.faults import counted

if TYPE_CHECKING:
    from operations.mentorships.message import MessageOutlook

PANEL = "A cohort"
SHOWN = 12
"""So many readers are shown; `--json` has all."""


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(rich_help_panel=PANEL, epilog=EXIT_CODES)(plainly(message))
    app.command(rich_help_panel=PANEL, epilog=EXIT_CODES)(plainly(messages))


def message(
    to: Annotated[
        list[str], typer.Argument(metavar="COHORT | COHORT/KEY …", help="A cohort, or some of its mentorships.")
    ],
    subject: Annotated[str, typer.Option(metavar="TEXT", help="The subject of the mail.")],
    file: Annotated[
        Path, typer.Option(metavar="FILE", help="The text, as Markdown; - reads it from standard input.")
    ] = Path("-"),
    only: Annotated[
        list[str] | None, typer.Option("--to", metavar="ID", help="These people alone; can be repeated.")
    ] = None,
    dry_run: DryRun = False,
    yes: Yes = False,
    by: By = "",
    json: AsJson = False,
) -> None:
    """Write to the people of a cohort, or of some mentorships.

    Each of them gets it by their letterbox, together with whatever else waits
    for them that day; replies go to you. It shows first how many it reaches,
    who, when it arrives, and the mail itself, and asks. A message about
    mentorships waits while these are paused or held; one about the whole
    cohort does not. Once sent it can't be taken back.

    \b
    Examples:
      mentorship message small --subject "An evening on 14 April" --file evening.md --dry-run
      mentorship message small/m1 small/m2 --subject "A word about July" --file july.md --yes
      echo "Do call me when you can." | mentorship message small --to s2 --subject "A call" --yes
    """
    if str(file) == "-" and sys.stdin.isatty():
        fail("there is no text: write --file FILE, or pass it on standard input. Nothing was sent.", REFUSED)
    words = sys.stdin.read() if str(file) == "-" else _read(file)
    if json and not dry_run and not yes:
        fail("--json asks nothing: write --yes as well, or --dry-run. Nothing was sent.", REFUSED)
    result = run(lambda: _message(to, subject, words, tuple(only or ()), by, dry_run=dry_run, yes=yes, quiet=json))
    if json:
        say_json(result)


def _read(file: Path) -> str:
    words = ""
    try:
        words = file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as why:
        fail(f"{file} can't be read ({type(why).__name__}). Nothing was sent.", REFUSED)
    return words


async def _message(
    to: list[str], subject: str, words: str, only: tuple[str, ...], by: str, *, dry_run: bool, yes: bool, quiet: bool
) -> dict[str, Any]:
    from operations.audit import COMMAND_LINE
    from operations.mentorships import message as writing
    from runtime.connect import database, temporal
    from runtime.errors import Unreachable
    from runtime.settings import now_of
    from runtime.temporal import Waker

    installation = settings()
    async with database(installation) as opened:
        now = now_of(installation)
        content = await writing.addressed(opened, to, subject, words, only)
        shown, mail = await writing.try_out(opened, content, now, installation, by=by)
        result: dict[str, Any] = {"sent": False, **_as_object(shown)}
        if not quiet:
            _show(shown, mail.text)
        if dry_run:
            if not quiet:
                out().print("Nothing was sent: this was a dry run.")
            return result
        if not yes:
            _confirmed(len(shown.readers))
        draft = await writing.draft(opened, content, now, by=by, proof=COMMAND_LINE)
        before = {reader.id for reader in shown.readers}
        fresh = await writing.outlook(opened, draft.id, now)
        if {reader.id for reader in fresh.readers} != before:
            await writing.discard(opened, draft.id, now, by=by, proof=COMMAND_LINE)
            fail("whom it reaches has changed since you looked; look at it again. Nothing was sent.", REFUSED)
        try:
            wake = Waker(await temporal(), installation)
        except Unreachable as away:
            wake = None
            err().print(f"{away}\nIt is kept, and goes out as soon as Temporal and a worker are back.")
        sent = await writing.send(
            opened, draft.id, now, seen=fresh.seen, by=by, proof=COMMAND_LINE, shards=installation.shards, wake=wake
        )
        if not quiet:
            out().print(f"[green]✓[/] sent to {_people(len(sent.readers))} (message {text(sent.id)})")
        return result | {"sent": True, "id": sent.id}


def messages(
    cohort: Annotated[str, typer.Argument(help="The cohort.")],
    id_: Annotated[str, typer.Argument(metavar="ID", help="One message: its text, and who got it.")] = "",
    json: AsJson = False,
) -> None:
    """List the messages that coordinators wrote, or show one with what became of it.

    \b
    Examples:
      mentorship messages small
      mentorship messages small 4f2c9a1b7d30
    """
    from operations.mentorships import message as writing
    from operations.mentorships.status import as_object
    from runtime.connect import database

    async def do() -> list[dict[str, Any]] | dict[str, Any]:
        async with database(settings()) as opened:
            if not id_:
                return [as_object(one) for one in await writing.listed(opened, cohort)]
            written, became = await writing.written(opened, id_, cohort)
            return as_object(written) | {"deliveries": [as_object(one) for one in became]}

    found = run(do)
    if json:
        say_json(found)
    elif isinstance(found, list):
        _list(cohort, found)
    else:
        out().print(f"[bold]{text(found['subject'])}[/]\n\n{text(found['text'])}\n")
        rows = table("person", "state", "when")
        for one in found["deliveries"]:
            rows.add_row(text(one["name"]), f"{one['state']} {one['reason']}".strip(), str(one["at"] or "")[:16])
        out().print(rows)


def _list(cohort: str, found: list[dict[str, Any]]) -> None:
    if not found:
        out().print(f"There are no messages in {text(cohort)}.")
        return
    rows = table("message", "state", "when", "about", "subject", title="Messages (times in UTC)")
    for one in found:
        about = ", ".join(one["mentorships"]) or "the cohort"
        rows.add_row(one["id"], one["state"], str(one["changed_at"])[:16], text(about), text(one["subject"]))
    out().print(rows)


def _as_object(shown: MessageOutlook) -> dict[str, Any]:
    from operations.mentorships.status import as_object

    return {
        "cohort": shown.message.cohort,
        "mentorships": list(shown.message.mentorships),
        "subject": shown.message.subject,
        "readers": [as_object(reader) for reader in shown.readers],
    }


def _show(shown: MessageOutlook, mail: str) -> None:
    from operations.mentorships.status import local

    screen = out()
    screen.print(f"[bold]{text(shown.message.cohort)}[/]: a message to {_people(len(shown.readers))}")
    for reader in shown.readers[:SHOWN]:
        when = f"{local(reader.arrives, shown.zone):%a %Y-%m-%d %H:%M}" if reader.arrives else _WAITS[reader.waits]
        screen.print(f"  {text(reader.name)} ({text(reader.id)}): {when}", soft_wrap=True)
    if len(shown.readers) > SHOWN:
        screen.print(f"  … and {len(shown.readers) - SHOWN} more")
    screen.print(f"\n{text(mail)}\n", soft_wrap=True)


_WAITS = {
    "paused": "when the pause is over",
    "held": "when a coordinator releases the mentorship",
    "bounced": "not before the address is corrected",
}


def _people(count: int) -> str:
    return counted(count, "person", "people")


def _confirmed(count: int) -> None:
    unasked = "nobody can be asked here: write --yes to send it. Nothing was sent."
    confirm(f"Send it to {_people(count)}?", unasked, "Nothing was sent.")
