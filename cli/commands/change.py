"""Changing mentorships that run, one or many: pause, resume, extend, end, nudge, release."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cli.bulk import ChangeOptions, Which, change, of_many, places_of
from cli.console import EXIT_CODES, plainly

if TYPE_CHECKING:
    from collections.abc import Callable

    from operations.mentorships.change import Change, MentorshipRef
    from runtime.settings import Settings
    from store.database import Database

PANEL = "Changes"


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (pause, resume, extend, end, nudge, release):
        app.command(rich_help_panel=PANEL, epilog=EXIT_CODES)(plainly(command))


def _change(which: Which, options: ChangeOptions, made: Callable[[], Change]) -> None:
    async def find(database: Database, installation: Settings) -> tuple[list[MentorshipRef], Change]:
        return await places_of(which, database, installation), made()

    change(find, options, one=which.one)


@of_many()
def pause(
    which: Which,
    options: ChangeOptions,
    begin: Annotated[
        str,
        typer.Option(metavar="DATE|3w", help="From which day on. Left out: from now on.", show_default=False),
    ] = "",
    until: Annotated[
        str,
        typer.Option(metavar="DATE|3w", help="Until when. Left out: until somebody resumes.", show_default=False),
    ] = "",
    tell: Annotated[
        bool, typer.Option("--tell", help="Tell the people in it: one mail, with the dates and no reason.")
    ] = False,
) -> None:
    """Pause: nothing goes out and nothing falls due until a date.

    Everything not yet done moves by the length of the pause: steps, open
    forms, half way and the end. A second pause merges with the first; the later
    end counts. Of a pause without an end you are reminded every 30 days.

    One that begins later (--begin) moves nothing until its day has come;
    until then `mentorship resume` takes it back.

    \b
    Examples:
      mentorship pause small/m1 --until 3w --dry-run
      mentorship pause small/m1 --until 2027-04-19 --why "parental leave"
      mentorship pause small/m1 --begin 2027-03-01 --until 2027-04-19 --tell
      mentorship pause --cohort small --until 2w --why "the works are closed"
      mentorship pause --from keys.txt --yes --json
    """
    from operations.mentorships import change as changes

    _change(which, options, lambda: changes.pause(until, begin, tell=tell))


@of_many()
def resume(which: Which, options: ChangeOptions) -> None:
    """Resume: a pause ends today, and what it had moved further comes earlier.

    Where none runs, the one that is planned is taken back.

    \b
    Examples:
      mentorship resume small/m1 --dry-run
      mentorship resume small/m1 --why "back from leave"
      mentorship resume --cohort small --phase check_ins --yes
    """
    from operations.mentorships import change as changes

    _change(which, options, changes.resume)


@of_many()
def extend(
    which: Which,
    options: ChangeOptions,
    by_weeks: Annotated[
        str, typer.Option("--by", metavar="4w", help="How many weeks longer.", show_default=False)
    ] = "",
) -> None:
    """Extend: the end moves by whole weeks, and the midpoint, if it is ahead.

    A closure form that is out is withdrawn and comes again. The same extension
    given twice on one day is one, so a command that broke off can be given
    again; --again makes it longer once more.

    \b
    Examples:
      mentorship extend small/m1 --by 4w --dry-run
      mentorship extend small/m1 --by 4w --why "they asked for it"
      mentorship extend --cohort small --by 2w --yes
      mentorship extend small/m1 --by 4w --again
    """
    from operations.mentorships import change as changes

    _change(which, options, lambda: changes.extend(by_weeks))


@of_many(without=("again",))
def end(
    which: Which,
    options: ChangeOptions,
    reason: Annotated[
        str,
        typer.Option(
            metavar="REASON",
            show_default=False,
            help="no_fault, goals_reached, left, inactive, safeguarding or transferred.",
        ),
    ] = "",
    about: Annotated[
        str,
        typer.Option(
            metavar="ID", show_default=False, help="With left and safeguarding: whom it concerns. Gets no form."
        ),
    ] = "",
) -> None:
    """End early: to closure at once, in its kind early form.

    Open forms are withdrawn; the closure form goes out tomorrow. One that has not
    begun never starts, and those who had accepted are told. This can't be taken
    back, so it shows what it does and asks. Participants don't see the reason.

    \b
    Examples:
      mentorship end small/m1 --reason no_fault --dry-run
      mentorship end small/m1 --reason goals_reached --why "done early"
      mentorship end small/m1 --reason left --about s2 --yes
      mentorship end --cohort small --health trouble --reason inactive
    """
    from operations.mentorships import change as changes

    _change(which, options, lambda: changes.end(reason, about))


@of_many()
def nudge(which: Which, options: ChangeOptions) -> None:
    """Nudge: open forms go out again with the next letterbox.

    Counts toward the three mails that a form gets at most, so no person is chased.

    \b
    Examples:
      mentorship nudge small/m1 --dry-run
      mentorship nudge small/m1 --why "the mails went to spam"
      mentorship nudge --cohort small --awaiting
    """
    from operations.mentorships import change as changes

    _change(which, options, changes.nudge)


@of_many()
def release(which: Which, options: ChangeOptions) -> None:
    """Release: mail that is held after a safety report goes out again.

    \b
    Examples:
      mentorship release small/m1 --dry-run
      mentorship release small/m1 --why "talked to both, all is well"
    """
    from operations.mentorships import change as changes

    _change(which, options, changes.release)
