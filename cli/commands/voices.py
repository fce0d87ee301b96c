"""What people said that may be shown: asking them, and where it stands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cli.console import EXIT_CODES, REFUSED, err, fail, out, plainly, run, say_json, settings, table, text
from cli.options import AsJson

if TYPE_CHECKING:
    from store.people.voices import Voice

PANEL = "A cohort"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(rich_help_panel=PANEL, epilog=EXIT_CODES)(plainly(voices))


def voices(
    cohort: Annotated[str, typer.Argument(help="The cohort.")],
    ask: Annotated[
        str, typer.Option(metavar="WHO", help="Ask this person: id, name or address.", show_default=False)
    ] = "",
    words: Annotated[str, typer.Option("--text", help="With --ask: the exact words.", show_default=False)] = "",
    use: Annotated[
        list[str] | None, typer.Option(help="With --ask: where it may be shown: report, web or print.")
    ] = None,
    names: Annotated[
        list[str] | None, typer.Option(metavar="WHO", help="With --ask: who is named in it; they are asked too.")
    ] = None,
    used: Annotated[
        str, typer.Option(metavar="ID", help="Note that this voice is shown somewhere.", show_default=False)
    ] = "",
    where: Annotated[
        str, typer.Option(metavar="PLACE", help="With --used: where, so that it can be found.", show_default=False)
    ] = "",
    by: Annotated[
        str, typer.Option("--as", metavar="WHO", help="Who you are: id, name or address of a coordinator or deputy.")
    ] = "",
    json: AsJson = False,
) -> None:
    """Show what people say that may be shown, or ask somebody for it.

    Only people who said at the closure that they may be quoted can be asked.
    They get a mail, read the exact words on their own page, change them, and
    answer: yes with their name, yes without it, or no. Who is named in it is
    asked too. A yes counts for two years and can be taken back; then the
    report is made without it, and the places where it was shown are listed.

    \b
    Examples:
      mentorship voices small
      mentorship voices small --ask s1 --text "I dared to ask." --use report --use web
      mentorship voices small --used 4kx9q2mz7vb1aB3d --where "web site, start page"
    """
    from activities.wake_postmasters import wake_in_time
    from operations.audit import COMMAND_LINE
    from operations.reports import voices as acts
    from runtime.connect import database, temporal
    from runtime.errors import Unreachable
    from runtime.settings import now_of
    from runtime.temporal import Waker

    if used and not where:
        fail("--used needs --where: the place, so that it can be found again", REFUSED)
    installation = settings()
    now = now_of(installation)

    async def do() -> list[tuple[Voice, str]]:
        async with database(installation) as opened:
            if ask:
                earliest = await acts.ask(
                    opened, cohort, ask, words, use or [], names or [], by, now, proof=COMMAND_LINE,
                    shards=installation.shards,
                )  # fmt: skip
                try:
                    await wake_in_time(opened, earliest, now, Waker(await temporal(), installation))
                except Unreachable as away:
                    err().print(f"{away}\nThey are asked as soon as Temporal and a worker are back.")
            if used:
                await acts.used(opened, used, where, by, now, proof=COMMAND_LINE)
            return await acts.listed(opened, cohort, now)

    _print(run(do), json)


def _print(found: list[tuple[Voice, str]], json: bool) -> None:
    if json:
        say_json(
            [
                {
                    "id": voice.id, "person": voice.person, "text": voice.text, "uses": list(voice.uses),
                    "state": state, "shown_in": list(voice.places),
                    "answers": {consent.person: consent.answer for consent in voice.consents},
                }
                for voice, state in found
            ]
        )  # fmt: skip
        return
    if not found:
        out().print("Nobody was asked yet.")
        return
    rows = table("id", "who", "words", "state", "shown in")
    for voice, state in found:
        ended = state in ("withdrawn", "refused", "expired") and voice.places
        places = "\n".join(voice.places)
        shown = f"[bold red]{text(places)}\ntake it out there[/]" if ended else text(places)
        rows.add_row(voice.id, text(voice.name), text(voice.text), state, shown)
    out().print(rows)
