"""What participants answered: read by their coordinators, and taken into a spreadsheet."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.commands.plan import write_as_it_is
from cli.console import EXIT_CODES, err, out, plainly, run, say_json, settings, table, text
from cli.options import AsJson, Separator

if TYPE_CHECKING:
    from operations.forms.answers import ShownForm

PANEL = "A cohort"

Concerns = Annotated[
    bool,
    typer.Option(
        "--concerns",
        help="Show what was written about safety or conduct too. Needs --as; that you opened it is recorded.",
    ),
]
By = Annotated[
    str, typer.Option("--as", metavar="WHO", help="Who reads: id, name or address of a coordinator or deputy.")
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(rich_help_panel=PANEL, epilog=EXIT_CODES)(plainly(answers))


def answers(
    cohort: Annotated[str, typer.Argument(help="The cohort.")],
    mentorship: Annotated[str, typer.Option(metavar="KEY", help="Only this mentorship.", show_default=False)] = "",
    person: Annotated[
        str, typer.Option(metavar="WHO", help="Only this person: id, name or address.", show_default=False)
    ] = "",
    form: Annotated[str, typer.Option(help="Only this form, such as check_in.", show_default=False)] = "",
    csv: Annotated[bool, typer.Option("--csv", help="As CSV, one row for each answer.")] = False,
    separator: Separator = ";",
    xlsx: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the same rows to an XLSX file.", show_default=False)
    ] = None,
    concerns: Concerns = False,
    by: By = "",
    json: AsJson = False,
) -> None:
    """Show what was answered, by mentorship and round.

    You see what the forms say that coordinators see. What only the pair may
    read, and figures that go into totals alone, are not shown. What somebody
    wrote about safety or conduct is shown with --concerns only, and each time
    it is opened is on the record.

    \b
    Examples:
      mentorship answers small
      mentorship answers small --mentorship m1
      mentorship answers small --form check_in --csv > check-ins.csv
      mentorship answers small --xlsx answers.xlsx
      mentorship answers small --json | jq '.[].answers[] | select(.low)'
    """
    from operations.forms.answers import COLUMNS, rows
    from operations.spreadsheet import as_csv, as_xlsx

    download = bool(csv or xlsx or json)
    wanted = {"mentorship": mentorship, "person": person, "form": form}
    found = run(lambda: read(cohort, **wanted, concerns=concerns, by=by, download=download))
    if json:
        from operations.mentorships.status import as_object

        say_json([as_object(one) for one in found])
    elif csv:
        write_as_it_is(as_csv(COLUMNS, rows(found), separator))
    elif xlsx is not None:
        from runtime.private_files import write_private

        write_private(xlsx, as_xlsx("Answers", COLUMNS, rows(found)))
        err().print(f"[green]✓[/] {text(xlsx)}: {len(found)} forms.")
    elif found:
        print_answers(found)
    else:
        out().print("Nothing has been answered yet.")


async def read(
    cohort: str,
    *,
    mentorship: str = "",
    person: str = "",
    form: str = "",
    concerns: bool = False,
    by: str = "",
    download: bool = False,
) -> list[ShownForm]:
    """The answers as the operation gives them; `person` is found by id, name or address. That they were taken as a
    `download`, or concerns opened, is in the audit."""
    from operations.audit import COMMAND_LINE
    from operations.forms.answers import answers as answers_of
    from operations.mentorships.concerns import audited_reader
    from operations.people.find import known_person
    from runtime.connect import database
    from runtime.settings import now_of

    environment = settings()
    now = now_of(environment)
    async with database(environment) as opened:
        if person:
            async with opened.session() as session:
                person = (await known_person(session, person)).id
        wanted = {"mentorship": mentorship, "person": person, "ask": form}
        found = await answers_of(opened, cohort, now, **wanted, concerns=concerns, by=by)
        if concerns or download:
            of = [f"{cohort}/{mentorship}"] if mentorship else []
            of += [person] if person else []
            await audited_reader(
                opened, "answers --concerns" if concerns else "answers", cohort, of, now, by=by, proof=COMMAND_LINE,
                result="download" if download else "read", named=concerns,
            )  # fmt: skip
        return found


def print_answers(forms: Iterable[ShownForm]) -> None:
    """Answers by mentorship and round: a question a line, the people beside each other."""
    screen = out()
    for (cohort, mentorship), of_mentorship in groupby(forms, lambda one: (one.cohort, one.mentorship)):
        screen.print(f"\n[bold]{text(cohort)}/{text(mentorship)}[/]")
        for (_, number), asked in groupby(of_mentorship, lambda one: (one.ask, one.number)):
            screen.print(_round(list(asked), number))


def _round(forms: list[ShownForm], number: int) -> object:
    people = [f"{text(one.name)}\n{one.role}, {one.at:%Y-%m-%d}{' (late)' if one.late else ''}" for one in forms]
    rows = table("", *people, title=f"{text(forms[0].title)} {number}")
    labels: dict[tuple[str, int, str], list[str]] = {}
    for column, one in enumerate(forms):
        for answer in one.answers:
            line = labels.setdefault((answer.question, answer.entry, answer.label), [""] * len(forms))
            shown = text(answer.text)
            line[column] = f"[bold red]{shown}  ← low[/]" if answer.low else shown
    for (_, entry, label), texts in labels.items():
        rows.add_row(f"{entry}. {text(label)}" if entry else text(label), *texts)
    return rows
