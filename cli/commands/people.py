"""Looking after people: a wrong address, somebody who moved, somebody who asks to be erased, mails that come back."""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.console import EXIT_CODES, REFUSED, err, fail, out, plainly, run, say_json, settings, text
from cli.options import AsJson, By, DryRun, PersonArgument, Why

if TYPE_CHECKING:
    from activities.wake_postmasters import Wake
    from operations.bounces.bounces import Handled
    from operations.people.correct import Correction
    from operations.people.erase import Erasure
    from runtime.outbox_relay import Tell
    from runtime.settings import Settings
    from store.database import Database

PANEL = "People"
EVERY = 60.0
"""Real seconds between two looks into the mailbox, with --watch."""


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (correct, erase, bounces):
        app.command(rich_help_panel=PANEL, epilog=EXIT_CODES)(plainly(command))


async def _tellers(installation: Settings) -> tuple[Tell | None, Wake | None]:
    """What tells workflows and wakes postmasters; nothing where Temporal is away, for a worker does it later."""
    from runtime.connect import temporal
    from runtime.errors import Unreachable
    from runtime.temporal import Teller, Waker

    try:
        client = await temporal()
    except Unreachable as away:
        err().print(f"{away}\nWhat is recorded now is passed on as soon as Temporal and a worker are back.")
        return None, None
    return Teller(client), Waker(client, installation)


def correct(
    person: PersonArgument,
    email: Annotated[str | None, typer.Option(metavar="ADDRESS", help="The right address.")] = None,
    zone: Annotated[str | None, typer.Option(metavar="ZONE", help="Where they live: Europe/Berlin.")] = None,
    name: Annotated[str | None, typer.Option(metavar="NAME", help="The right name.")] = None,
    language: Annotated[str | None, typer.Option(metavar="CODE", help="Language of their mails: en.")] = None,
    dry_run: DryRun = False,
    by: By = "",
    why: Why = "",
    json: AsJson = False,
) -> None:
    """Correct a person's address, zone, name or language, while everything runs.

    A corrected address takes back a bounce: the task is closed, and what was
    never delivered goes out with the next letterbox. What was delivered does not
    come again. If the old address works once more, write the same again. With
    another zone, their letterbox opens by the new clock, and the dates of their
    mentorships begin and end by it. Change the cohort's file as well.

    \b
    Examples:
      mentorship correct s1 --email amelie@example.org --dry-run
      mentorship correct s1 --email amelie@example.org --why "a typing error"
      mentorship correct "Deepak Raman" --zone Asia/Singapore
      mentorship correct s2 --name "Deepak Raman-Iyer" --json
    """
    from operations.audit import COMMAND_LINE
    from operations.mentorships.status import as_object
    from operations.people.correct import Details
    from operations.people.correct import correct as do_correct
    from runtime.connect import database
    from runtime.settings import now_of

    details = Details(name=name, email=email, zone=zone, language=language)
    if details == Details():
        fail("say what is to be corrected: --email, --zone, --name or --language", REFUSED)

    async def do() -> Correction:
        installation = settings()
        async with database(installation) as opened:
            tell, wake = (None, None) if dry_run else await _tellers(installation)
            now = now_of(installation)
            return await do_correct(
                opened,
                person,
                details,
                now,
                by=by,
                why=why,
                proof=COMMAND_LINE,
                tell=tell,
                wake=wake,
                dry_run=dry_run,
            )

    done = run(do)
    if json:
        say_json(as_object(done) | {"dry_run": dry_run})
        return
    _show_correction(done, dry_run)


def _show_correction(done: Correction, dry_run: bool) -> None:
    screen = out()
    if not done.changed:
        screen.print(f"{text(done.person)}: nothing differs. Nothing to do.")
        return
    mark = "" if dry_run else "[green]✓[/] "
    screen.print(f"{mark}[bold]{text(done.person)}[/]: {', '.join(done.fields) or 'the same address, once more'}")
    if done.healed:
        screen.print("  mail        reaches them again; the task about it is closed")
    if done.again:
        screen.print(f"  goes again  {len(done.again)} that never arrived, with the next letterbox, if still true")
    if done.moved:
        screen.print(f"  waits       {len(done.moved)} that go when the letterbox opens in the new zone")
    if done.mentorships:
        told = ", ".join(f"{cohort}/{key}" for cohort, key in done.mentorships)
        screen.print(f"  told        {text(told)}", soft_wrap=True)
    if dry_run:
        screen.print("Nothing was changed: this was a dry run.")


def erase(
    person: PersonArgument,
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask for the id to be typed.")] = False,
    dry_run: DryRun = False,
    by: By = "",
    why: Why = "",
    json: AsJson = False,
) -> None:
    """Erase a person: name, address, profile, words, mails and links.

    Counts, dates and bare numbers stay, under an id that means nothing, so what
    came of the cohort can still be told. The partner learns that somebody has
    left the program, and nothing else. This can't be taken back, so it asks you
    to type the person's id. Take them out of the cohort's files as well.

    \b
    Examples:
      mentorship erase s1 --dry-run
      mentorship erase s1 --why "asked for it on the phone"
      mentorship erase amelie@example.org --yes --json
    """
    from operations.audit import COMMAND_LINE
    from operations.mentorships.status import as_object
    from operations.people.erase import erase as do_erase
    from runtime.connect import database
    from runtime.settings import now_of

    async def do() -> Erasure:
        installation = settings()
        async with database(installation) as opened:
            now = now_of(installation)
            before = await do_erase(opened, person, now, by=by, why=why, dry_run=True)
            if dry_run:
                return before
            if not json:
                _show_erasure(before)
            _confirmed(before.person, yes or before.before, json)
            tell, _ = await _tellers(installation)
            return await do_erase(opened, person, now, by=by, why=why, proof=COMMAND_LINE, tell=tell)

    done = run(do)
    if json:
        say_json(as_object(done) | {"dry_run": dry_run})
    elif dry_run:
        _show_erasure(done)
        out().print("Nothing was erased: this was a dry run.")
    elif done.before:
        out().print(f"{text(done.person)} was erased before. Nothing to do.")
    else:
        out().print(f"[green]✓[/] {text(done.person)} is erased. Take them out of the cohort's files as well.")


def _confirmed(person: str, yes: bool, quiet: bool) -> None:
    """Make sure that this person is meant."""
    if yes:
        return
    if quiet or not sys.stdin.isatty():
        fail("this can't be taken back: write --yes as well. Nothing was erased.", REFUSED)
    typed = typer.prompt(f"This can't be taken back. Type {person} to erase this person", err=True)
    if typed.strip() != person:
        fail("That is not their id. Nothing was erased.", REFUSED)


def _show_erasure(found: Erasure) -> None:
    screen = out()
    if not found.rows and found.before:
        return
    screen.print(f"[bold]{text(found.person)}[/]: what is known of this person")
    for table, count in found.rows.items():
        screen.print(f"  {table:<14}{count}")
    told = ", ".join(f"{cohort}/{key}" for cohort, key in found.mentorships)
    screen.print(f"  told          {text(told) or 'nobody'}, that somebody has left", soft_wrap=True)


def bounces(
    files: Annotated[
        list[str] | None, typer.Argument(metavar="[FILE]...", help="Mails that came back; - is standard input.")
    ] = None,
    watch: Annotated[bool, typer.Option("--watch", help="Look again every minute, until stopped.")] = False,
    json: AsJson = False,
) -> None:
    """Take in mails that came back, from the mailbox for bounces or from files.

    Without a file, everything new in the mailbox (MENTORSHIP_BOUNCE_MAILBOX) is
    read over IMAP and marked there. An address that refuses mail for good gets
    none any more, and a task `bounced` is opened; three of the last five that
    came back for the time being make a task as well. Replies of machines are
    ignored. What belongs to no mail of ours is flagged for you to look at. The
    same mail twice is one.

    \b
    Examples:
      mentorship bounces
      mentorship bounces --watch
      mentorship bounces returned-1.eml returned-2.eml
      mentorship bounces - < returned.eml      (as an alias of your mail server)
    """
    from operations.audit import COMMAND_LINE, AuditEntry, record
    from operations.bounces.bounces import read_mailbox, take_in
    from operations.mentorships.status import as_object
    from runtime.connect import database
    from runtime.settings import now_of

    mails = [sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes() for name in files or []]
    if mails and watch:
        fail("--watch looks into the mailbox; leave the files out", REFUSED)

    async def do() -> list[Handled]:
        installation = settings()
        async with database(installation) as opened:
            tell, wake = await _tellers(installation)
            if mails:
                now = now_of(installation)
                await record(opened, now, AuditEntry("bounces", proof=COMMAND_LINE, result=f"{len(mails)} files"))
                return [await take_in(opened, installation, raw, now, tell=tell, wake=wake) for raw in mails]
            return await look(opened, installation, tell, wake)

    async def look(opened: Database, installation: Settings, tell: Tell | None, wake: Wake | None) -> list[Handled]:
        while True:
            found = [
                one async for one in read_mailbox(opened, installation, now_of(installation), tell=tell, wake=wake)
            ]
            if found:
                taken = f"{len(found)} from the mailbox"
                await record(opened, now_of(installation), AuditEntry("bounces", proof=COMMAND_LINE, result=taken))
            if not watch:
                return found
            if found:
                _show_bounces(found)
            await asyncio.sleep(EVERY)

    found: list[Any] = run(do)
    if json:
        say_json([as_object(one) for one in found])
    else:
        _show_bounces(found)


def _show_bounces(found: list[Handled]) -> None:
    from operations.bounces.bounces import MEANING

    screen = out()
    for one in found:
        who = f"{text(one.person)} " if one.person else ""
        screen.print(f"{one.came:<11}{who}{one.code}".rstrip(), soft_wrap=True)
    counts = Counter(one.came for one in found)
    for came, meaning in MEANING.items():
        if counts[came]:
            screen.print(f"[bold]{counts[came]}[/] {meaning}", soft_wrap=True)
    if not found:
        screen.print("Nothing has come back.")
