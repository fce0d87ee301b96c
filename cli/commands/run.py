"""What runs until it is told to stop: the embedded stack, a worker, the pages."""

from __future__ import annotations

import asyncio

import typer

from cli.console import EXIT_CODES, plainly, settings

PANEL = "What runs"


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (up, worker, web):
        app.command(rich_help_panel=PANEL, epilog=EXIT_CODES)(plainly(command))


def up() -> None:
    """Run everything on this machine. Ctrl-C ends it.

    That is Temporal with its UI, database, mailbox, pages and worker. For
    trying things out, and for small programs: everything listens on this
    machine only, no mail leaves it, and all data is in one folder
    (MENTORSHIP_DATA). Starting it again resumes where it stopped.

    \b
    Examples:
      mentorship up
      MENTORSHIP_DATA=/var/lib/mentorship MENTORSHIP_WEB_PORT=9000 mentorship up
      mentorship launch config/cohorts/small.yaml        in another terminal
    """
    from embedded.stack import up as run_stack
    from runtime.logs import set_up_logs

    set_up_logs()
    asyncio.run(run_stack(settings(of_stack=False)))


def worker() -> None:
    """Run a worker, which carries mentorships forward and sends mail.

    Any number may run, and each does the same work. SIGTERM or Ctrl-C ends it
    in order: mails on their way are finished first. It logs ids only, to
    standard error.

    \b
    Examples:
      mentorship worker
      TEMPORAL_ADDRESS=temporal:7233 MENTORSHIP_SMTP_HOST=relay mentorship worker
    """
    from runtime.connect import temporal
    from worker import main

    _ready()
    asyncio.run(temporal())
    asyncio.run(main())


def web() -> None:
    """Serve the pages of participants and coordinators.

    Participants fill in forms and have a page of their own; coordinators sign
    in below /c/. Any number may run. An answer is in the database before the
    page says thank you, also while Temporal is away.

    \b
    Examples:
      mentorship web
      MENTORSHIP_WEB_HOST=0.0.0.0 MENTORSHIP_WEB_PORT=8080 mentorship web
    """
    from worker import serve_pages

    _ready()
    asyncio.run(serve_pages())


def _ready() -> None:
    """Check database and secret first, so that a process that cannot work fails at once."""
    from runtime.connect import check_database
    from runtime.links import check_secret

    installation = settings()
    check_secret(installation)
    check_database(installation.database)
