"""Changing who takes part in a mentorship that runs: replace, add, remove, leave."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cli.bulk import ChangeOptions, change
from cli.commands.change import PANEL
from cli.console import EXIT_CODES, REFUSED, fail, plainly
from cli.options import AsJson, By, DryRun, NewEmail, NewName, NewZone, PersonArgument, Why, Yes

if TYPE_CHECKING:
    from collections.abc import Callable

    from operations.mentorships.change import Change, MentorshipRef
    from runtime.settings import Settings
    from store.database import Database

Mentorship = Annotated[
    str,
    typer.Option(metavar="COHORT/KEY", help="Which mentorship, where they are in several.", show_default=False),
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (replace, add, remove, leave):
        app.command(rich_help_panel=PANEL, epilog=EXIT_CODES)(plainly(command))


def replace(
    person: PersonArgument,
    newcomer: Annotated[str, typer.Option("--with", metavar="ID", help="Who takes the seat.", show_default=False)],
    name: NewName = "",
    email: NewEmail = "",
    zone: NewZone = "",
    mentorship: Mentorship = "",
    dry_run: DryRun = False,
    yes: Yes = False,
    by: By = "",
    why: Why = "",
    json: AsJson = False,
) -> None:
    """Replace a person: somebody else takes their seat, and the dates stay.

    The newcomer gets the invitation, and later the introduction and the agreement.
    The person who had it leaves for good under this id, so the command shows
    what it does and asks. Change the cohort's file as well.

    \b
    Examples:
      mentorship replace s4 --with s9 --name "Ada Ng" \\
          --email ada@example.org --zone Asia/Tokyo --dry-run
      mentorship replace s4 --with s9 --mentorship small/m2 --why "moved away"
    """
    from operations.mentorships import change as changes
    from operations.mentorships.select import Newcomer, newcomer_of, seat_of
    from runtime.settings import now_of

    async def find(database: Database, installation: Settings) -> tuple[list[MentorshipRef], Change]:
        place, who = await seat_of(database, person, mentorship, now_of(installation))
        joins = await newcomer_of(database, place[0], Newcomer(newcomer, name, email, zone))
        return [place], changes.replace_person(who, joins)

    change(find, ChangeOptions(dry_run, yes, False, by, why, json), one=True)


def add(
    newcomer: Annotated[str, typer.Argument(metavar="ID", help="Who joins: their id.", show_default=False)],
    mentorship: Annotated[
        str, typer.Option(metavar="COHORT/KEY", help="The group that they join.", show_default=False)
    ],
    role: Annotated[str, typer.Option(help="mentee, or mentor where the group has none.")] = "mentee",
    name: NewName = "",
    email: NewEmail = "",
    zone: NewZone = "",
    dry_run: DryRun = False,
    by: By = "",
    why: Why = "",
    json: AsJson = False,
) -> None:
    """Add somebody to a group: they join with the steps that lie ahead.

    They are invited at once. Change the cohort's file as well.

    \b
    Examples:
      mentorship add s9 --mentorship circles/g1 --name "Ada Ng" \\
          --email ada@example.org --dry-run
      mentorship add s3 --mentorship circles/g1 --why "has come late"
    """
    from operations.mentorships import change as changes
    from operations.mentorships.select import Newcomer, named, newcomer_of

    if role not in ("mentor", "mentee"):
        fail(f"{role!r} is no role in a group; write mentee or mentor", REFUSED)

    async def find(database: Database, _: Settings) -> tuple[list[MentorshipRef], Change]:
        [place] = await named(database, [mentorship])
        joins = await newcomer_of(database, place[0], Newcomer(newcomer, name, email, zone))
        return [place], changes.add(joins, "mentor" if role == "mentor" else "mentee")

    change(find, ChangeOptions(dry_run, True, False, by, why, json), one=True)


def remove(
    person: PersonArgument,
    mentorship: Mentorship = "",
    dry_run: DryRun = False,
    yes: Yes = False,
    by: By = "",
    why: Why = "",
    json: AsJson = False,
) -> None:
    """Remove somebody from a group; the others go on.

    No further mail goes to them. If one mentee is left, a task asks you how to go
    on. This can't be taken back, so it shows what it does and asks. Somebody who
    leaves by their own wish: mentorship leave. Change the cohort's file as well.

    \b
    Examples:
      mentorship remove s4 --dry-run
      mentorship remove s4 --mentorship circles/g1 --why "never came"
    """
    from operations.mentorships import change as changes

    _of(person, mentorship, ChangeOptions(dry_run, yes, False, by, why, json), changes.remove)


def leave(
    person: PersonArgument,
    mentorship: Mentorship = "",
    dry_run: DryRun = False,
    yes: Yes = False,
    by: By = "",
    why: Why = "",
    json: AsJson = False,
) -> None:
    """Write down that somebody has withdrawn by their own wish.

    They get no further mail of this mentorship at once; a task asks you how the
    partner goes on. This can't be taken back, so it shows what it does and asks.
    To erase everything about a person: mentorship erase.

    \b
    Examples:
      mentorship leave s2 --dry-run
      mentorship leave s2 --why "told me on the phone"
      mentorship leave "Deepak Raman" --mentorship small/m1 --yes
    """
    from operations.mentorships import change as changes

    _of(person, mentorship, ChangeOptions(dry_run, yes, False, by, why, json), changes.leave)


def _of(person: str, mentorship: str, options: ChangeOptions, made: Callable[[str], Change]) -> None:
    from operations.mentorships.select import seat_of
    from runtime.settings import now_of

    async def find(database: Database, installation: Settings) -> tuple[list[MentorshipRef], Change]:
        place, who = await seat_of(database, person, mentorship, now_of(installation))
        return [place], made(who)

    change(find, options, one=True)
