"""Notes that coordinators write for each other about a mentorship."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cli.console import EXIT_CODES, out, plainly, run, say_json, settings, table, text
from cli.options import AsJson

if TYPE_CHECKING:
    from lifecycle.keys import MentorshipRef
    from operations.mentorships.notes import Note, NoteTaken

PANEL = "A cohort"

By = Annotated[
    str, typer.Option("--as", metavar="WHO", help="Who writes: id, name or address of a coordinator or deputy.")
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(rich_help_panel=PANEL, epilog=EXIT_CODES)(plainly(note))


def note(
    mentorship: Annotated[str, typer.Argument(help="COHORT/KEY, or KEY alone where only one cohort has it.")],
    words: Annotated[
        str, typer.Argument(metavar="TEXT", help="What to note; left out, the notes are shown.", show_default="")
    ] = "",
    about: Annotated[
        str, typer.Option(metavar="ID", help="Whom it is about, if one person only.", show_default=False)
    ] = "",
    remove: Annotated[
        str, typer.Option(metavar="ID", help="Remove the note with this id instead.", show_default=False)
    ] = "",
    by: By = "",
    json: AsJson = False,
) -> None:
    """Write a note for the other coordinators, or show the notes.

    Participants don't see notes, but get them with the rest of their data when
    they ask for it. A note is removed when somebody of the mentorship is erased.

    \b
    Examples:
      mentorship note small/m1
      mentorship note small/m1 "Both are away in July; spoke on the phone."
      mentorship note small/m1 "Prefers to be called." --about s2 --as petra@example.org
      mentorship note small/m1 --remove 0f3a6c1e9b7d24805a61
    """
    from operations.audit import COMMAND_LINE
    from operations.mentorships import notes
    from operations.mentorships.status import as_object
    from runtime.connect import database
    from runtime.settings import now_of

    async def do() -> NoteTaken | tuple[MentorshipRef, list[Note]]:
        installation = settings()
        now = now_of(installation)
        async with database(installation) as opened:
            if words:
                return await notes.add(opened, mentorship, words, now, person=about, by=by, proof=COMMAND_LINE)
            where, listed = await notes.notes_of(opened, mentorship)
            if not remove:
                return where, listed
            await notes.remove(opened, where, remove, now, by=by, proof=COMMAND_LINE)
            return where, [one for one in listed if one.id != remove]

    done = run(do)
    if not isinstance(done, tuple):
        if json:
            say_json(as_object(done))
        else:
            out().print(f"[green]✓[/] {text(done.cohort)}/{text(done.mentorship)}: noted ({done.id})")
        return
    where, listed = done
    if json:
        say_json([as_object(one) for one in listed])
    elif not listed:
        out().print(f"There are no notes about {text('/'.join(where))}.")
    else:
        rows = table("when", "by", "about", "note", "id", title="Notes (times in UTC)")
        for one in listed:
            rows.add_row(f"{one.at:%Y-%m-%d %H:%M}", text(one.by_name), text(one.person), text(one.text), one.id)
        out().print(rows)
