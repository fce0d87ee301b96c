"""Writes docs/reference.md from the code: what goes out when, tasks, forms, settings, search attributes.

Run it after changing any of them: `.venv/bin/python -m tools.scripts.reference`. A test compares page and code.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from pathlib import Path

from pydantic import BaseModel

from lifecycle.advance import begin
from lifecycle.assessment import CHOICES, outcome
from lifecycle.state import Member
from lifecycle.tasks import KINDS
from operations.accounts.accounts import ROLES, Role
from program.forms import Form, Question
from program.loader import SHIPPED, load_program
from program.models import Cohort, Program
from rehearsal.behaviour import Behaviour
from runtime.settings import Settings
from tools.scripts.file_keys import Row, keys_of
from web.coordinator.route_table import ROUTES, Route
from workflows.search_attributes import ALL

PAGE = Path(__file__).parents[2] / "docs" / "reference.md"
START = date(2027, 3, 1)
PROGRAMS = ("formal", "reverse", "peer", "group", "informal")


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A Markdown table."""
    lines = [f"| {' | '.join(head)} |", f"| {' | '.join('---' for _ in head)} |"]
    lines += [f"| {' | '.join(str(cell).replace('|', '/') for cell in row)} |" for row in rows]
    return "\n".join(lines)


def relative(on: date, start: date, midpoint: date, end: date, name: str) -> str:
    """A date as the lifecycle says it: S, M or E and days."""
    anchor, letter = {"midpoint": (midpoint, "M"), "closure": (end, "E"), "winding_down": (end, "E")}.get(
        name, (start, "S")
    )
    days = (on - anchor).days
    return letter if days == 0 else f"{letter}{'+' if days > 0 else '−'}{abs(days)}d"


def timeline(program_id: str) -> str:
    """What a shipped program asks and tells, and when."""
    program = load_program(SHIPPED / "programs" / f"{program_id}.yaml").program
    roles = {"peer": ("peer", "peer"), "group": ("mentor", "mentee", "mentee")}.get(
        program.format, ("mentor", "mentee")
    )
    members = [Member(f"p{index}", role, "UTC") for index, role in enumerate(roles)]  # pyright: ignore[reportArgumentType]
    state = begin(program, "c", "m", START, "UTC", START - timedelta(days=60), members, ["k"])
    rows: list[tuple[object, ...]] = []
    for step in state.steps:
        at = relative(step.opens, state.start, state.midpoint, state.end, step.name)
        reminders = ", ".join(f"+{(day - step.opens).days}d" for day in step.reminders) or "–"
        closes = f"+{(step.closes - step.opens).days}d" if step.closes else "–"
        rows.append((step.phase, step.verb, f"`{step.name}` {step.number}", at, reminders, closes))
    head = ("phase", "verb", "what", "when", "reminders", "closes")
    return f"### {program_id}: {program.title} ({program.length // 7} weeks)\n\n{table(head, rows)}"


def matrix() -> str:
    """The midpoint matrix."""
    rows = [(f"**{one}**", *(outcome(one, other) for other in CHOICES)) for one in CHOICES]
    return table(("", *CHOICES), rows)


def tasks() -> str:
    """Every kind of task."""
    return table(
        ("kind", "due, working days", "decisions (the first changes nothing)"),
        ((f"`{kind}`", due or "today", ", ".join(decisions)) for kind, (due, decisions) in KINDS.items()),
    )


def forms() -> str:
    """The shipped forms with their questions."""
    formal, group = (load_program(SHIPPED / "programs" / f"{name}.yaml").forms for name in ("formal", "group"))
    found = {**formal, **group}
    parts: list[str] = []
    for id_, form in sorted(found.items()):
        rows = [
            (
                f"`{q.id}`",
                q.label,
                q.type,
                ", ".join((*q.roles, *q.formats)) or "everyone",
                _condition(q),
                "yes" if q.required else "",
                q.visible,
            )
            for q in form.questions
        ]
        head = ("id", "question", "type", "asked of", "with the answer", "required", "seen by")
        parts.append(
            f"### {id_}: {form.title} (version {form.version})\n\n{form.who_sees.strip()}\n\n{table(head, rows)}"
        )
    return "\n\n".join(parts)


def _condition(question: Question) -> str:
    if question.condition is None:
        return ""
    other, wanted = question.condition
    return f"`{other}`: {', '.join(str(answer).lower() for answer in wanted)}"


def settings() -> str:
    """Every setting, with the name of its variable."""
    rows: list[tuple[object, ...]] = []
    for name, field in Settings.model_fields.items():
        default = str(field.get_default())
        rows.append((f"`MENTORSHIP_{name.upper()}`", field.description or "", f"`{default}`" if default else ""))
    return table(("variable", "what it is", "default"), rows)


def keys(model: type[BaseModel], *more: Row) -> str:
    """Every key of a file, with those that the loader takes in before the model sees them."""
    rows = ((f"`{key}`", kind, default, meaning) for key, kind, default, meaning in (*more, *keys_of(model)))
    return table(("key", "what may stand there", "if left out", "what it says"), rows)


EXTENDS: Row = ("extends", "id", "", "Another program; this file then says only [what differs](files.md).")
PEOPLE: Row = ("people", "file name", "", "A CSV beside this file with [more participants](files.md).")
PAIRS: Row = ("pairs", "file name", "", "A CSV beside this file with [more mentorships](files.md).")


def routes() -> str:
    """Every page of the coordinators' web, with the roles that may open it."""

    def may(route: Route, role: Role) -> str:
        if not route.roles:
            return "yes"
        return "–" if role not in route.roles else "fresh" if route.fresh else "yes"

    return table(
        ("path", "method", "what it is in the log", "signed out", *ROLES),
        (
            (
                f"`{route.path}`", ", ".join(route.methods), f"`{route.name}`", "–" if route.roles else "yes",
                *(may(route, role) for role in ROLES),
            )
            for route in ROUTES
        ),
    )  # fmt: skip


def search_attributes() -> str:
    """Every search attribute."""
    return table(
        ("attribute", "type", "what it says"),
        ((f"`{k.name}`", k.indexed_value_type.name.title(), v) for k, v in ALL.items()),
    )


def page() -> str:
    """The whole page."""
    return (
        "\n\n".join(
            (
                "# Reference\n\nWritten by `tools/scripts/reference.py` from the code; a test compares the two.",
                "## What goes out when\n\nS is the start, M the midpoint, E the end. "
                "Reminders and close count from the opening; "
                "a step's mail arrives when the reader's letterbox is open.",
                *(timeline(program) for program in PROGRAMS),
                "## The midpoint matrix\n\nWhat follows from two answers; their order does not matter.",
                matrix(),
                "## Tasks",
                tasks(),
                "## Settings\n\nFrom the environment or a `.env` file. "
                "Temporal's own connection settings are the SDK's `TEMPORAL_*`.",
                settings(),
                "## Keys of a program\n\nA file of `programs/`. A duration is a number of days or weeks (`3d`). "
                "A step date is `start`, `midpoint` or `end`, perhaps with an offset (`end - 3d`). A dot stands for "
                "a key below a key, `[]` for each entry. [files.md](files.md) says how the files belong together.",
                keys(Program, EXTENDS),
                "## Keys of a cohort\n\nA file of `cohorts/`.",
                keys(Cohort, PEOPLE, PAIRS),
                "## Keys of a form\n\nA file of `forms/`.",
                keys(Form),
                "## Keys of a behaviour file\n\nA file of `people/`, for `mentorship rehearse --people`.",
                keys(Behaviour),
                "## Who may open which of the coordinators' pages\n\nNo other page exists below `/c/`, and no other "
                "role is let in. A path with `{cohort}`, `{task}` or `{person}` asks for the role in that cohort, in "
                "the task's, or in one of the person's; any other shows only the cohorts of the account. `fresh` "
                "asks for a sign-in that is at most 30 minutes old.",
                routes(),
                "## Search attributes",
                search_attributes(),
                "## Forms",
                forms(),
            )
        )
        + "\n"
    )


if __name__ == "__main__":
    if "--check" in sys.argv:
        sys.exit(page() != PAGE.read_text(encoding="utf-8"))
    PAGE.write_text(page(), encoding="utf-8")
