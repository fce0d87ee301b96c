"""What waits for a coordinator's decision, and deciding it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated

import typer

from cli.console import (
    EXIT_CODES,
    REFUSED,
    err,
    fail,
    members,
    names,
    on,
    out,
    plainly,
    run,
    say_json,
    settings,
    table,
    text,
)
from cli.options import AsJson, By, NewEmail, NewName, NewZone, OfCohort, Why

if TYPE_CHECKING:
    from operations.mentorships.decide import DecisionTaken
    from operations.mentorships.status import TaskLine
    from operations.mentorships.tasks import TaskSummary

PANEL = "Decisions"


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (tasks, decide):
        app.command(rich_help_panel=PANEL, epilog=EXIT_CODES)(plainly(command))


def tasks(
    cohort: Annotated[str, typer.Argument(help="The cohort.", show_default="all")] = "",
    of_cohort: OfCohort = "",
    kind: Annotated[str, typer.Option(help="Only those of this kind, such as stalled.", show_default=False)] = "",
    overdue: Annotated[bool, typer.Option("--overdue", help="Only those whose due date has passed.")] = False,
    who: Annotated[
        str,
        typer.Option(
            "--for",
            metavar="WHO",
            show_default=False,
            help="Only those that wait for this coordinator, or have gone to this deputy: id, name or address.",
        ),
    ] = "",
    json: AsJson = False,
) -> None:
    """List the tasks that wait for a decision, the most pressing first.

    A task never blocks a mentorship: if nobody decides, you are reminded on the
    due date, and the deputies hear of it two working days later. Only a seat
    that is empty at the start waits for you.

    \b
    Examples:
      mentorship tasks
      mentorship tasks small
      mentorship tasks --overdue
      mentorship tasks --kind safety --for petra@example.org
      mentorship tasks --json | jq -r '.[].commands[]'
    """
    from operations.mentorships.tasks import open_tasks
    from runtime.connect import database
    from runtime.settings import now_of

    async def look() -> list[TaskSummary]:
        installation = settings()
        async with database(installation) as opened:
            return await open_tasks(
                opened, now_of(installation), cohort=cohort or of_cohort, kind=kind, overdue=overdue, who=who
            )

    found = run(look)
    if json:
        say_json([one.plain for one in found])
    elif found:
        print_tasks(one.line for one in found)
        late = sum(one.overdue for one in found)
        if late:
            out().print(f"{late} of them should have been decided before today.")
        out().print(f"To look:   {text(found[0].look)}", soft_wrap=True)
        for nth, command in enumerate(found[0].commands):
            out().print(f"{'To decide:' if not nth else '':<10} {text(command)}", soft_wrap=True)
    else:
        out().print("Nothing waits for a decision.")


def print_tasks(lines: Iterable[TaskLine]) -> None:
    """Tasks with what it takes to decide them."""
    from cli.remedies import FOR_TASKS
    from operations.mentorships.labels import in_words

    rows = table("task", "due", "what", "who", "decisions", title="Waits for a decision")
    for line in lines:
        who = members(line.people) + (f"\n[dim]about {names(line.about)}[/]" if line.about else "")
        reason = " ".join(filter(None, (line.reason, FOR_TASKS.get(line.reason, ""))))
        what = f"[bold]{in_words(line.kind)}[/]\n{text(reason)}"
        rows.add_row(text(line.key), on(line.due), what, who, ", ".join(line.decisions))
    out().print(rows)


def decide(
    task: Annotated[str, typer.Argument(help="The task's key, as `mentorship tasks` and the mail show it.")],
    decision: Annotated[str, typer.Argument(help="One of the decisions that are open for it.")],
    until: Annotated[
        str, typer.Option(metavar="DATE|3w", help="With pause: until when. Left out: without an end.")
    ] = "",
    newcomer: Annotated[str, typer.Option("--with", metavar="ID", help="With replace: who takes the seat.")] = "",
    name: NewName = "",
    email: NewEmail = "",
    zone: NewZone = "",
    person: Annotated[
        str, typer.Option(metavar="ID", help="Whom it concerns, where the task does not say.", show_default=False)
    ] = "",
    by: By = "",
    why: Why = "",
    json: AsJson = False,
) -> None:
    """Decide a task: written down with who and why, done at once.

    The same decision given twice is one decision. One that makes no sense is
    refused with a reason, and changes nothing. --as can be left out where the
    cohort has one coordinator only.

    \b
    Examples:
      mentorship decide small/m1/task.low_score#1 noted
      mentorship decide small/m1/task.stalled#1 pause --until 3w --why "ill"
      mentorship decide small/m1/task.seat_empty#1 replace --with s9 \\
          --name "Ada Ng" --email ada@example.org --zone Asia/Tokyo
      mentorship decide small/m1/task.fit#1 end --as "Konrad Achterberg"
    """
    from operations.audit import COMMAND_LINE
    from operations.mentorships import status as looks
    from operations.mentorships.decide import Newcomer
    from operations.mentorships.decide import decide as take
    from runtime.connect import database, temporal
    from runtime.settings import now_of

    if (name or email or zone) and not newcomer:
        fail("--name, --email and --zone describe a newcomer; write --with ID as well", REFUSED)

    async def do() -> DecisionTaken:
        installation = settings()
        joins = Newcomer(newcomer, name, email, zone) if newcomer else None
        async with database(installation) as opened:
            return await take(
                opened,
                await temporal(),
                task,
                decision,
                now_of(installation),
                until=until,
                newcomer=joins,
                person=person,
                by=by,
                why=why,
                proof=COMMAND_LINE,
            )

    taken = run(do)
    if json:
        say_json(looks.as_object(taken))
        return
    if taken.before:
        out().print(f"{text(taken.task)}: {taken.decision}, as decided before. Nothing to do.", soft_wrap=True)
        return
    until_words = f" until {on(taken.until)}" if taken.until else ""
    out().print(f"[green]✓[/] {text(taken.task)}: {taken.decision}{until_words}", soft_wrap=True)
    if not taken.recorded:
        err().print("The mentorship has it; the record will show it shortly.")
