"""Taking an edited program, or an edited form, to mentorships that run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.bulk import ChangeOptions, Which, change, of_many, places_of
from cli.commands.change import PANEL
from cli.commands.plan import found_file, print_faults
from cli.console import EXIT_CODES, FAULTY, fail, plainly
from program.faults import counted

if TYPE_CHECKING:
    from operations.mentorships.change import Change, MentorshipRef
    from runtime.settings import Settings
    from store.database import Database


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(rich_help_panel=PANEL, epilog=EXIT_CODES)(plainly(adopt))


@of_many(without=("cohort", "again"))
def adopt(
    which: Which,
    options: ChangeOptions,
    file: Annotated[
        Path, typer.Option("--file", metavar="FILE", help="The cohort's file, which names the program.")
    ] = ...,  # pyright: ignore[reportArgumentType]
) -> None:
    """Adopt: mentorships that run take up the program as its file says it now.

    An edited program or form holds for what starts from now on; this takes it to
    what runs: all of the cohort, or those that you name or select. What has begun
    keeps its dates, and a form that was asked already stays as it was asked. What
    lies ahead follows the file, the end as well, unless it was extended beyond
    it. A file with faults changes nothing. To go back, put the old file back and
    adopt that.

    \b
    Examples:
      mentorship adopt --file config/cohorts/small.yaml --dry-run
      mentorship adopt --file config/cohorts/small.yaml --yes --why "fewer forms"
      mentorship adopt m1 --file config/cohorts/small.yaml
      mentorship adopt --file config/cohorts/small.yaml --phase onboarding --yes
    """
    from operations.cohorts.load import Faults

    async def find(database: Database, installation: Settings) -> tuple[list[MentorshipRef], Change]:
        from operations.cohorts.adopt import adoption
        from operations.cohorts.load import load
        from runtime.settings import now_of

        loaded = load(found_file("cohorts", file), now_of(installation), runs=True, own=installation.own_config)
        places = await places_of(which.of(loaded.cohort.cohort), database, installation)
        return places, await adoption(database, loaded, places)

    try:
        change(find, options, one=which.one)
    except Faults as found:
        print_faults(found.faults, "red")
        fail(f"{counted(len(found.faults), 'fault')}. Nothing was changed.", FAULTY)
