"""Signing in to the coordinators' pages from the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cli.console import EXIT_CODES, out, plainly, run, say_json, settings, text
from cli.options import AsJson

if TYPE_CHECKING:
    from operations.accounts.printed_links import PrintedLink

PANEL = "The installation"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("sign-in", rich_help_panel=PANEL, epilog=EXIT_CODES)(plainly(sign_in))


def sign_in(
    who: Annotated[
        str,
        typer.Argument(
            metavar="WHO",
            help="A coordinator, deputy or reader: id, name or address. Without one: you, as administrator.",
            show_default=False,
        ),
    ] = "",
    json: AsJson = False,
) -> None:
    """Print a link that signs in to the coordinators' pages, once.

    It works in any browser, for fifteen minutes. For the first sign-in, and for
    a day on which no mail goes out; usually people ask for a mail on the page
    /c/sign-in. Who has what role is in the cohorts' files.

    \b
    Examples:
      mentorship sign-in
      mentorship sign-in c1
      mentorship sign-in grace@example.org --json
    """
    from operations.accounts.printed_links import print_link
    from runtime.connect import database
    from runtime.links import check_secret

    installation = settings()
    check_secret(installation)

    async def make() -> PrintedLink:
        async with database(installation) as opened:
            return await print_link(opened, installation, who)

    link = run(make)
    if json:
        say_json({"account": link.account, "url": link.url, "until": link.until.isoformat()})
        return
    whom = text(link.name) if link.name else "you, as administrator"
    out().print(f"This link signs in [bold]{whom}[/], once, within fifteen minutes:")
    out().print(text(link.url), soft_wrap=True)
