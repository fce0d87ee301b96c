"""Shows what a change does to a mentorship: dates that move, mails that are withdrawn, who is told what and when."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from cli.console import on, out, text

if TYPE_CHECKING:
    from datetime import date

    from operations.mentorships.change import Prospect


def as_object(seen: Prospect) -> dict[str, Any]:
    """For a script: dates in ISO 8601, before and after."""
    from operations.mentorships import status as looks

    outlook, order = seen.outlook, seen.order
    return {
        "change": order.change.kind,
        "mentorship": order.place,
        "operation": order.event.id,
        "refused": outlook.refused,
        "nothing_to_do": seen.nothing_to_do,
        "moved": [
            {"name": one["name"], "number": one["number"], "opens": one["opens"], "closes": one["closes"]}
            for one in (looks.as_object(moved) for moved in outlook.moved)
        ],
        "comes": [looks.as_object(one) for one in outlook.comes],
        "left_out": [looks.as_object(one) for one in outlook.left_out],
        "withdrawn": [looks.as_object(one) for one in seen.withdrawn],
        "told": [looks.as_object(one) for one in outlook.told],
        "tasks": [{"kind": kind, "due": due.isoformat()} for kind, due in outlook.tasks],
        "tasks_closed": list(outlook.decided),
        "ending": outlook.ending,
        "pause_ahead": outlook.pause_ahead.words if outlook.pause_ahead else "",
        "pause_taken_back": outlook.taken_back.words if outlook.taken_back else "",
    } | ({"says": list(order.change.says)} if order.change.says else {})


def show(seen: Prospect, *, done: bool = False, brief: bool = False) -> None:
    """For a person; `done` when it has been done, `brief` for one who has seen it all before."""
    from operations.mentorships.labels import in_words, step_words

    outlook = seen.outlook
    mark = "[green]✓[/] " if done else ""
    out().print(f"{mark}[bold]{text(seen.order.place)}[/]: {seen.order.change.kind}", soft_wrap=True)
    if brief:
        return
    if outlook.ending:
        _line("over", f"at once, as {in_words(outlook.ending).lower()}")
    for says in seen.order.change.says:
        _line("version", says)
    for one in outlook.moved:
        what = in_words(one.name) if one.name in ("start", "end") else step_words(one.name, one.number)
        if one.name == "midpoint" and one.closes is None:
            what = "Half way"
        _line("moves", f"{what}{_from_to(one.opens, one.closes)}")
    for one in outlook.comes:
        until = f", until {on(one.closes)}" if one.closes else ""
        _line("comes", f"{step_words(one.name, one.number)} on {on(one.opens)}{until}")
    if outlook.left_out:
        _line("left out", ", ".join(step_words(one.name, one.number) for one in outlook.left_out))
    void = ((f"{step_words(one.name, one.number)} ({one.kind})", one.person) for one in seen.withdrawn)
    for what, people in _by_what(void):
        _line("withdrawn", f"{what} to {people}, not sent any more")
    told = ((f"{step_words(one.name, one.number)}, {_when(one.when, one.on)}", one.person) for one in outlook.told)
    for what, people in _by_what(told):
        _line("told", f"{people}: {what}")
    for kind, due in outlook.tasks:
        _line("task", f"{in_words(kind)}, due {on(due)}")
    for key in outlook.decided:
        _line("task", f"{key} is closed")
    if outlook.taken_back:
        _line("taken back", f"the pause from {on(outlook.taken_back.on)}")
    if outlook.pause_ahead:
        _line("later", f"from {on(outlook.pause_ahead.on)} nothing goes out and nothing falls due")
        if not outlook.moved:
            _line("moves", "nothing yet: what lies ahead moves when somebody resumes")
    elif outlook.pauses and seen.order.change.kind == "pause":
        _line("meanwhile", "nothing goes out and nothing falls due")
        if not outlook.moved:
            _line("moves", "nothing yet: what lies ahead moves when somebody resumes")


def _line(title: str, said: str) -> None:
    out().print(f"  {title:<12}{text(said)}", soft_wrap=True)


def _from_to(opens: tuple[date, date], closes: tuple[date, date] | None) -> str:
    said: list[str] = []
    if opens[0] != opens[1]:
        said.append(f" {on(opens[0])} → {on(opens[1])}")
    if closes and closes[0] != closes[1]:
        said.append(f" until {on(closes[0])} → {on(closes[1])}")
    return ",".join(said)


def _when(when: str, day: date) -> str:
    return f"with the next letterbox, from {on(day)}" if when == "next letterbox" else when


def _by_what(pairs: Iterable[tuple[str, str]]) -> Iterable[tuple[str, str]]:
    """Each thing once, with those whom it concerns."""
    found: dict[str, list[str]] = defaultdict(list)
    for what, person in pairs:
        found[what].append(person)
    return [(what, ", ".join(dict.fromkeys(people))) for what, people in found.items()]
