"""A cohort that is looked at: status, show, ledger."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.commands.answers import By, Concerns, print_answers, read
from cli.console import EXIT_CODES, members, names, on, out, plainly, run, say_json, settings, table, text
from cli.options import AsJson, OfCohort

if TYPE_CHECKING:
    from operations.forms.answers import ShownForm
    from operations.mentorships.status import CohortStatus, StatusLine, Timeline

PANEL = "A cohort"


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (status, show, ledger):
        app.command(rich_help_panel=PANEL, epilog=EXIT_CODES)(plainly(command))


# -- status ------------------------------------------------------------------------------------------------------


def status(
    cohort: Annotated[str, typer.Argument(help="The cohort.", show_default="all that run")] = "",
    of_cohort: OfCohort = "",
    phase: Annotated[str, typer.Option(help="Only those in this phase.", show_default=False)] = "",
    health: Annotated[
        str,
        typer.Option(help="Only those in this health: good, quiet, attention, trouble, over.", show_default=False),
    ] = "",
    awaiting: Annotated[bool, typer.Option("--awaiting", help="Only those that wait for an answer.")] = False,
    person: Annotated[
        str,
        typer.Option(metavar="WHO", help="Only those of this person: id, name or address.", show_default=False),
    ] = "",
    json: AsJson = False,
) -> None:
    """One line a mentorship: phase, next step, whom it waits for, tasks.

    What is selected here can be changed in one command: `mentorship pause`,
    `nudge` and so on take the same options.

    \b
    Examples:
      mentorship status
      mentorship status small
      mentorship status small --awaiting
      mentorship status small --health attention
      mentorship status --person "Deepak Raman"
      mentorship status --json | jq '.[].mentorships[].phase'
    """
    from operations.mentorships import status as looks
    from runtime.connect import database
    from runtime.settings import now_of

    async def look() -> list[CohortStatus]:
        installation = settings()
        filters = looks.Filters(phase=phase, health=health, person=person)
        async with database(installation) as opened:
            return await looks.status(opened, cohort or of_cohort, now_of(installation), filters, awaiting=awaiting)

    found = run(look)
    if json:
        keys = ("id", "title", "state", "zone", "today", "counts")
        objects = [looks.as_object(one) for one in found]
        say_json([{key: one[key] for key in keys} | {"mentorships": one["lines"]} for one in objects])
        return
    if not found:
        out().print("No cohort was launched yet. Start one: mentorship launch config/cohorts/small.yaml")
    for one in found:
        _print_status(one)


_COLOURS = {"good": "green", "quiet": "yellow", "attention": "yellow", "trouble": "red", "over": "dim", "lost": "red"}


def _print_status(cohort: CohortStatus) -> None:
    from operations.mentorships.labels import in_words, next_words, planned_words

    title = f"{text(cohort.id)}: {text(cohort.title)} · {on(cohort.today)} · {cohort.state}"
    rows = table("mentorship", "people", "phase", "next", "on", "waits for", "health", "tasks", title=title)
    for line in cohort.lines:
        phase = in_words(line.phase)
        if line.paused_until:
            until = line.paused_until
            phase += " (paused, open end)" if until == "open" else f" (paused until {until})"
        if line.pause_ahead:
            phase += f" ({planned_words(line.pause_ahead)})"
        if line.held:
            phase += " (held)"
        if line.ending:
            phase = in_words(line.ending) + (f": {in_words(line.reason).lower()}" if line.reason else "")
        elif line.state == "planned":
            phase = "Not yet started"
        health = "lost" if line.lost else "over" if line.state == "over" else line.health
        rows.add_row(
            text(line.key),
            members(line.people),
            phase,
            next_words(line.next_step),
            on(line.next_on),
            names(line.awaited),
            f"[{_COLOURS.get(health, 'default')}]{health}[/]",
            str(line.open_tasks or ""),
        )
    out().print(rows)
    counts = cohort.counts
    said = [f"{count} {state}" for state, count in sorted(counts.mentorships.items())]
    said.append(f"{counts.messages.get('sent', 0)} mails, {counts.answers} answers")
    if counts.tasks_open:
        overdue = f", {counts.tasks_overdue} overdue" if counts.tasks_overdue else ""
        said.append(f"{counts.tasks_open} tasks open{overdue}: mentorship tasks {text(cohort.id)}")
    if counts.relays:
        said.append(f"{counts.relays} not yet passed on to Temporal")
    out().print(" · ".join(said), soft_wrap=True)
    if lost := sum(line.lost for line in cohort.lines):
        out().print(f"[red]![/] {lost} have no workflow in Temporal. Start them again: mentorship reconcile")


# -- show --------------------------------------------------------------------------------------------------------


def show(
    mentorship: Annotated[
        str,
        typer.Argument(help="COHORT/KEY, or KEY alone where only one cohort has it; or a person who is in it."),
    ],
    answers: Annotated[bool, typer.Option("--answers", help="With what was answered, by round.")] = False,
    concerns: Concerns = False,
    by: By = "",
    json: AsJson = False,
) -> None:
    """Everything that happened to a mentorship, and what comes next.

    With --answers also what was answered, both sides beside each other, as far
    as coordinators see it. What somebody wrote about safety or conduct is shown
    with --concerns only, to those to whom its task went, and each time it is
    opened is on the record. Times are those of the cohort's zone.

    \b
    Examples:
      mentorship show small/m1
      mentorship show m1
      mentorship show "Deepak Raman"
      mentorship show small/m1 --answers
      mentorship show small/m1 --concerns --as sc1
      mentorship show small/m1 --json
    """
    from operations.mentorships import status as looks
    from runtime.connect import database

    async def look(reader: str = "") -> Timeline:
        async with database(settings()) as opened:
            return await looks.show(opened, mentorship, concerns_for=reader)

    found = run(look)
    line = found.mentorship
    if concerns:
        reader = run(lambda: _reader(line, by))
        found = run(lambda: look(reader))
    given: list[ShownForm] = []
    if answers:
        given = run(lambda: read(line.cohort, mentorship=line.key, concerns=concerns, by=by))
    if json:
        shown = looks.as_object(found)
        say_json(shown | {"answers": [looks.as_object(one) for one in given]} if answers else shown)
        return
    _print_timeline(found)
    if answers:
        print_answers(given)


async def _reader(line: StatusLine, by: str) -> str:
    """The id of who opens the concerns of a mentorship; that they do is put into the audit. Raises `Refused`."""
    from operations.audit import COMMAND_LINE
    from operations.mentorships.concerns import audited_reader
    from runtime.connect import database
    from runtime.settings import now_of

    environment = settings()
    async with database(environment) as opened:
        return await audited_reader(
            opened, "show --concerns", line.cohort, [f"{line.cohort}/{line.key}"], now_of(environment),
            by=by, proof=COMMAND_LINE,
        )  # fmt: skip


def _print_timeline(timeline: Timeline) -> None:
    from cli.commands.tasks import print_tasks
    from operations.mentorships.labels import happening_words, in_words, step_words
    from operations.mentorships.status import local

    line = timeline.mentorship
    screen = out()
    screen.print(f"[bold]{text(line.cohort)}/{text(line.key)}[/]  {members(line.people)}", soft_wrap=True)
    ending = f" · {in_words(line.ending)} on {line.ended_on}" if line.ending else ""
    state = "not yet started" if line.state == "planned" else in_words(line.phase).lower()
    screen.print(
        f"{text(line.program)} ({line.format}) · {on(line.start)} to {on(line.end)}, midpoint {on(line.midpoint)} · "
        f"{state}{ending}",
        soft_wrap=True,
    )
    rows = table("when", "what", "who", title=f"What happened ({timeline.zone})")
    for one in timeline.happened:
        who = one.person.name if one.person else one.by
        why = f"\n[dim]“{text(one.why)}”[/]" if one.why else ""
        when = f"{local(one.at, timeline.zone):%a %Y-%m-%d %H:%M}"
        rows.add_row(when, text(happening_words(one)) + why, text(who))
    if timeline.happened:
        screen.print(rows)
    else:
        screen.print("Nothing has happened yet.")
    if timeline.tasks:
        print_tasks(timeline.tasks)
    ahead = table("from", "until", "what", "waits for", title="What comes next")
    for step in timeline.ahead:
        closes = step.closes.isoformat() if step.closes else ""
        ahead.add_row(on(step.opens), closes, step_words(step.name, step.number), names(step.awaited))
    if timeline.ahead:
        screen.print(ahead)
    else:
        screen.print("Nothing comes next.")


# -- ledger ------------------------------------------------------------------------------------------------------


def ledger(
    cohort: Annotated[str, typer.Argument(help="The cohort.")],
    json: AsJson = False,
) -> None:
    """The ledger of a cohort, by which two runs can be compared.

    Mails, dropped items, steps, answers, tasks and endings: ids only, sorted
    and stable. With --json all of it, as one object; otherwise how many of
    each.

    \b
    Examples:
      mentorship ledger small --json > ledger.json
      mentorship ledger small --json | jq '.endings'
    """
    from operations.mentorships import status as looks
    from runtime.connect import database

    async def look() -> dict[str, Any]:
        async with database(settings()) as opened:
            return await looks.ledger(opened, cohort)

    found = run(look)
    if json:
        say_json(found)
        return
    rows = table("what", "how many")
    for what, lines in found.items():
        rows.add_row(what, str(len(lines)))
    out().print(rows)
