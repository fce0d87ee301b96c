"""Turns what a browser sends into answers, or into faults in plain words; and answers back into what stands in
the fields.

Knows every question type once. It must never lose what somebody typed: the caller keeps `typed` and shows it
again. Messages are the same words in the summary and at the field.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import lru_cache
from typing import Any
from zoneinfo import available_timezones

from program.forms import Answers, Question
from program.goals import AGREED, FOLLOWED, GOAL_ID, about_agreed
from program.text import clean
from program.zones import is_zone, near_zones

Typed = dict[str, list[str]]
"""Field name to the values sent under it, as a browser sends them."""

UNSURE = "unsure"
"""Field value of "can't say yet", stored as None."""
ZONE_QUESTIONS = frozenset({"zone", "i_zone"})
"""Text questions whose answer is an IANA zone."""
MOST_ENTRIES = 20
"""Date ranges, and entries of a group that sets no limit of its own."""

_WHOLE_NUMBER = re.compile(r"[+-]?\d{1,9}", re.ASCII)
_DATE_FORMS = ("%Y-%m-%d", "%d.%m.%Y", "%d/%m/%Y", "%d-%m-%Y", "%d %B %Y", "%d %b %Y", "%B %d %Y", "%Y/%m/%d")
_LONGEST_LABEL = 90
_AREAS = {
    "Africa", "America", "Antarctica", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific"
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class FieldFault:
    """What is wrong with one field: `control` is the name of the field to go to."""

    control: str
    message: str


@dataclass(slots=True)
class Reading:
    """The answers that could be read, and what is wrong with the rest."""

    answers: Answers = field(default_factory=dict[str, Any])
    faults: list[FieldFault] = field(default_factory=list[FieldFault])


class _Wrong(Exception):
    """A value can't be read; the message says what to write instead."""


def read(questions: Sequence[Question], typed: Mapping[str, Sequence[str]], goals: Collection[str] = ()) -> Reading:
    """Read the fields of these questions; fields of no question are left alone. `goals` are the ids of goals that the
    mentorship knows: about one that stood on the page, all that is required must be answered.

    A question that appears only with another answer (`when`) is read only with that answer. Without it, what was
    chosen is dropped; what was typed is never dropped unseen: it becomes a fault at its field. Where the other
    question was left out, and what was typed tells its answer, that is its answer.
    """
    reading = Reading()
    asked = {question.id: question for question in questions}
    for question in questions:
        if not question.appears(reading.answers) and not _appears_after_all(question, asked, typed, reading):
            continue
        if question.type == "group":
            _read_group(question, typed, reading, goals)
        elif question.type == "date_ranges":
            _read_ranges(question, typed, reading)
        else:
            _read_one(question, question.id, typed, reading.answers, question.id, reading.faults)
    return reading


def _appears_after_all(
    question: Question, asked: Mapping[str, Question], typed: Mapping[str, Sequence[str]], reading: Reading
) -> bool:
    """Whether a question counts whose condition is not met; a fault where it does not, and something was typed."""
    control = _typed_into(question, typed)
    other, wanted = question.condition or ("", ())
    before = asked.get(other)
    if not control or before is None or any(fault.control == other for fault in reading.faults):
        return False
    if other not in reading.answers and not before.required and len(wanted) == 1:
        reading.answers[other] = [wanted[0]] if before.type == "many" else wanted[0]
        return True
    message = f"You wrote something under {_named(question)}. {condition_text(question, before)}: choose that, or"
    reading.faults.append(FieldFault(control, f"{message} empty the field"))
    return False


def _typed_into(question: Question, typed: Mapping[str, Sequence[str]]) -> str:
    """The first field of this question in which something was typed; empty where nothing was, or it was chosen."""
    if question.type in ("text", "date", "number", "sign"):
        return question.id if clean(_first(typed, question.id)) else ""
    parts = {"date_ranges": ("from", "to"), "group": tuple(part.id for part in question.fields)}
    names = [
        f"{question.id}.{index}.{part}"
        for index in (entries(question, typed) if question.type in parts else ())
        for part in parts[question.type]
    ]
    return next((name for name in names if clean(_first(typed, name))), "")


def condition_text(question: Question, other: Question) -> str:
    """With which answer to the other question this one is asked."""
    words = {option.value: option.label for option in other.options} | {True: other.tick or "Yes", False: "No"}
    _, wanted = question.condition or ("", ())
    answers = " or ".join(f"“{words[answer]}”" for answer in wanted if answer in words)
    return f"It is asked only with {answers} under {_named(other)}"


def typed_of(questions: Sequence[Question], answers: Answers) -> Typed:
    """The fields as they would be typed to give these answers."""
    typed: Typed = {}
    for question in questions:
        if question.id not in answers:
            continue
        value = answers[question.id]
        if question.type == "group":
            for index, entry in enumerate(value):
                for part in question.fields:
                    if part.id in entry:
                        typed[f"{question.id}.{index}.{part.id}"] = _as_typed(part, entry[part.id])
                if GOAL_ID in entry:
                    typed[f"{question.id}.{index}.{GOAL_ID}"] = [entry[GOAL_ID]]
        elif question.type == "date_ranges":
            for index, (first, last) in enumerate(value):
                typed[f"{question.id}.{index}.from"] = [first]
                typed[f"{question.id}.{index}.to"] = [last]
        else:
            typed[question.id] = _as_typed(question, value)
    return typed


def entries(question: Question, typed: Mapping[str, Sequence[str]]) -> list[int]:
    """Indexes of the entries of a group or of date ranges in which something was typed."""
    parts = [part.id for part in question.fields] if question.type == "group" else ["from", "to"]
    return [
        index
        for index in range(most_entries(question))
        if any(_first(typed, f"{question.id}.{index}.{part}") for part in parts)
    ]


def most_entries(question: Question) -> int:
    """How many entries a group or a list of date ranges takes."""
    return question.most or MOST_ENTRIES


def _read_one(
    question: Question,
    name: str,
    typed: Mapping[str, Sequence[str]],
    into: dict[str, Any],
    key: str,
    faults: list[FieldFault],
) -> None:
    values = [value for value in map(clean, typed.get(name, ())) if value]
    if not values:
        if question.required:
            faults.append(FieldFault(name, _missing(question)))
        return
    try:
        into[key] = _READERS[question.type](question, values)
    except _Wrong as wrong:
        faults.append(FieldFault(name, str(wrong)))


def goals_typed(question: Question, typed: Mapping[str, Sequence[str]], goals: Collection[str]) -> dict[int, str]:
    """Index to goal id of the entries of a group that are about a known goal, each goal once."""
    found: dict[int, str] = {}
    for index in range(most_entries(question)) if question.id in (AGREED, *FOLLOWED) else ():
        id_ = _first(typed, f"{question.id}.{index}.{GOAL_ID}")
        if id_ in goals and id_ not in found.values():
            found[index] = id_
    return found


def _read_group(
    question: Question, typed: Mapping[str, Sequence[str]], reading: Reading, goals: Collection[str]
) -> None:
    group_entries: list[dict[str, Any]] = []
    about = goals_typed(question, typed, goals)
    filled = entries(question, typed)
    if about and question.id in FOLLOWED:
        question = about_agreed(question)
        filled = [index for index in about if question.required or index in filled]
    for index in filled:
        entry: dict[str, Any] = {GOAL_ID: about[index]} if index in about else {}
        for part in question.fields:
            name = f"{question.id}.{index}.{part.id}"
            _read_one(part, name, typed, entry, part.id, reading.faults)
        group_entries.append(entry)
    least = question.least if question.least is not None else int(question.required)
    if len(filled) < least and (question.required or filled):
        first_empty = next(index for index in range(most_entries(question)) if index not in filled)
        what = "one entry" if least == 1 else f"{least} entries"
        faults_at = f"{question.id}.{first_empty}.{question.fields[0].id}"
        reading.faults.append(FieldFault(faults_at, f"Fill in at least {what} under {_named(question)}"))
    if group_entries:
        reading.answers[question.id] = group_entries


def _read_ranges(question: Question, typed: Mapping[str, Sequence[str]], reading: Reading) -> None:
    ranges: list[list[str]] = []
    for index in entries(question, typed):
        names = (f"{question.id}.{index}.from", f"{question.id}.{index}.to")
        days: list[date] = []
        for name, which in zip(names, ("first", "last"), strict=True):
            value = clean(_first(typed, name))
            if not value:
                reading.faults.append(FieldFault(name, f"Enter the {which} day as well, under {_named(question)}"))
                continue
            try:
                days.append(_day(question, value))
            except _Wrong as wrong:
                reading.faults.append(FieldFault(name, str(wrong)))
        if len(days) == 2 and days[1] < days[0]:
            message = f"The last day must be the same as the first or after it, under {_named(question)}"
            reading.faults.append(FieldFault(names[1], message))
        elif len(days) == 2:
            ranges.append([day.isoformat() for day in days])
    if ranges or question.required:
        # No absences is an answer: nobody has to make one up.
        reading.answers[question.id] = ranges


# -- one type each ---------------------------------------------------------------------------------------------


def _scale(question: Question, values: list[str]) -> int | None:
    if values[0] == UNSURE:
        return None
    return _between(question, values[0], question.least or 1, question.most or 5)


def _yes_no(question: Question, values: list[str]) -> bool:
    if values[0] != "yes" and (values[0] != "no" or (question.tick and question.required)):
        raise _Wrong(_missing(question))
    return values[0] == "yes"


def _one(question: Question, values: list[str]) -> str:
    if values[0] not in {option.value for option in question.options}:
        raise _Wrong(f"Choose one of the answers listed under {_named(question)}")
    return values[0]


def _many(question: Question, values: list[str]) -> list[str]:
    listed = [option.value for option in question.options]
    if not set(values) <= set(listed):
        raise _Wrong(f"Choose among the answers listed under {_named(question)}")
    return [value for value in listed if value in values]


def _number(question: Question, values: list[str]) -> int:
    return _between(question, values[0], question.least, question.most)


def _between(question: Question, value: str, least: int | None, most: int | None) -> int:
    if not _WHOLE_NUMBER.fullmatch(value):
        raise _Wrong(f"Enter a whole number under {_named(question)}, such as {least if least else 3}")
    number = int(value)
    if least is not None and number < least:
        raise _Wrong(f"Enter a number that is {least} or more under {_named(question)}")
    if most is not None and number > most:
        raise _Wrong(f"Enter a number that is {most} or less under {_named(question)}")
    return number


def _date(question: Question, values: list[str]) -> str:
    return _day(question, values[0]).isoformat()


def _day(question: Question, value: str) -> date:
    plain = " ".join(value.replace(",", " ").split())
    for form in _DATE_FORMS:
        try:
            day = datetime.strptime(plain, form).date()  # noqa: DTZ007 - a calendar date has no zone
        except ValueError:
            continue
        if 1900 <= day.year <= 2200:
            return day
    raise _Wrong(f"Enter a date under {_named(question)}, such as 2027-05-31 or 31 May 2027")


def _text(question: Question, values: list[str]) -> str:
    value = values[0]
    if len(value) > question.longest:
        raise _Wrong(
            f"Use {question.longest} characters or fewer under {_named(question)}; you have used {len(value)}"
        )
    return _zone(value) if question.id in ZONE_QUESTIONS else value


def _zone(value: str) -> str:
    if is_zone(value):
        return value
    near = near_zones(value)
    if len(near) == 1 and near[0].rpartition("/")[2].casefold() == value.strip().replace(" ", "_").casefold():
        return near[0]
    hint = f"did you mean {near[0]}?" if near else "write it as area and city, such as Europe/Berlin"
    raise _Wrong(f"“{value}” is no time zone that we know: {hint}")


@lru_cache(maxsize=1)
def zone_names() -> tuple[str, ...]:
    """The zones that are offered: area and city. They are looked up in hundreds of files, hence once."""
    return tuple(sorted(name for name in available_timezones() if name.partition("/")[0] in _AREAS))


def _sign(question: Question, values: list[str]) -> str:
    value = " ".join(values[0].split())
    if len(value) > question.longest:
        raise _Wrong(f"Use {question.longest} characters or fewer for your name")
    return value


_READERS = {
    "scale": _scale,
    "yes_no": _yes_no,
    "one": _one,
    "many": _many,
    "number": _number,
    "date": _date,
    "text": _text,
    "sign": _sign,
}


def _missing(question: Question) -> str:
    if question.tick:
        return f"Tick “{question.tick}” under {_named(question)}"
    if question.type == "sign":
        return "Type your name to sign"
    if question.type == "text":
        return f"Write an answer under {_named(question)}"
    if question.type == "number" and question.low == "":
        return f"Enter a number under {_named(question)}"
    if question.type == "date":
        return f"Enter a date under {_named(question)}"
    return f"Choose an answer under {_named(question)}"


def _named(question: Question) -> str:
    label = question.label
    if len(label) > _LONGEST_LABEL:
        label = label[:_LONGEST_LABEL].rsplit(" ", 1)[0] + " …"
    return f"“{label}”"


def _as_typed(question: Question, value: Any) -> list[str]:
    if question.type == "many":
        return list(value)
    if question.type == "scale" and value is None:
        return [UNSURE]
    if isinstance(value, bool):
        return ["yes" if value else "no"]
    return [str(value)]


def _first(typed: Mapping[str, Sequence[str]], name: str) -> str:
    values = typed.get(name, ())
    return values[0] if values else ""
