"""How coordinators read what the engine calls by an id: steps, phases, tasks, endings, what happened.

The words stand in `templates/words/labels.<language>.yaml`, for pages and the command line alike. An id that is not
there, such as that of somebody's own form, is shown as it is written, with spaces.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from ruamel.yaml import YAML

from lifecycle.state import PlannedPause
from store.reports.timeline import TimelineEntry

WORDS = Path(__file__).parents[2] / "templates" / "words"
_TASK_KEY = re.compile(r"[^ ]+/task\.([a-z_]+)#\d+")
_STEP_KEY = re.compile(r"\b([a-z][a-z_]*)#(\d+)")
_NUMBERED = ("check_in", "winding_down")


@cache
def labels(language: str = "en") -> dict[str, dict[str, str]]:
    """Group (`steps`, `ids`, `events`) to id to its words."""
    return YAML(typ="safe").load((WORDS / f"labels.{language}.yaml").read_text("utf-8"))


def step_name(name: str) -> str:
    """A step, or what it asks, without its number: `Check-in`."""
    return labels()["steps"].get(name) or in_words(name)


def step_words(name: str, number: int = 1) -> str:
    """A step or item as a coordinator calls it: `Check-in 2`, `Agreement`."""
    words = step_name(name)
    return f"{words} {number}" if name in _NUMBERED or number > 1 else words


def next_words(next_step: str) -> str:
    """The next step of a status line, `check_in 2`, as a coordinator calls it."""
    name, _, number = next_step.partition(" ")
    return step_words(name, int(number or 1)) if name else ""


def in_words(name: str) -> str:
    """An id as words: `seat_empty` is `Seat empty`, the phase `check_ins` is `Check-ins`."""
    return phrase(name).capitalize()


def phrase(name: str) -> str:
    """The same within a sentence. The number of a step that comes only once is left out: `closure 1` is `closure`."""
    if (known := labels()["ids"].get(name)) is not None:
        return known
    once = name if name.startswith(_NUMBERED) else name.removesuffix(" 1")
    return once.replace("check_in", "check-in").replace("follow_up", "follow-up").replace("_", " ").replace(".", " ")


def detail_words(detail: str) -> str:
    """A detail of the record, with the steps in it as people call them: `check_in#1` is `check-in 1`; the key of a
    task is its kind."""
    if of_task := _TASK_KEY.fullmatch(detail):
        return phrase(of_task[1])
    return _STEP_KEY.sub(lambda step: step_words(step[1], int(step[2])).lower(), detail)


def planned_words(pause_ahead: str) -> str:
    """A pause that begins later, as the store writes it: `pause from 2027-03-01 until 2027-03-15`."""
    planned = PlannedPause.of(pause_ahead)
    return labels()["pauses"]["until" if planned.until else "from"].format(on=planned.on, until=planned.until)


def happening_words(entry: TimelineEntry) -> str:
    """What happened, on one line."""
    detail = f" ({detail_words(entry.detail)})" if entry.detail else ""
    if entry.what in ("mail", "dropped", "answer"):
        kind = entry.kind if entry.what == "mail" and entry.kind in ("reminder", "request") else entry.what
        what = step_words(entry.name, entry.number)
    elif entry.what in ("task_opened", "task_closed"):
        kind, what = entry.what, phrase(entry.name)
    else:
        return f"{labels()['events'].get(entry.name) or in_words(entry.name)}{detail}"
    return labels()["happenings"][kind].format(what=what) + detail
