"""What a program must be by itself: windows whose parts fit together, known words, steps that can happen."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import time

from program.checks.step_checks import SHORT_LETTERBOX, check_steps
from program.faults import Fault, fault, quoted, suggestion
from program.files.reading import Source, Trail
from program.models import Program, Window

ASKS = (
    "invitation",
    "agreement",
    "fit_check",
    "check_in",
    "midpoint",
    "closure",
    "follow_up",
    "are_you_there",
)
TASK_KINDS = (
    "seat_empty",
    "expectations_differ",
    "no_agreement",
    "low_score",
    "stalled",
    "silent",
    "fit",
    "help",
    "midpoint",
    "safety",
    "withdrawn",
    "small_group",
    "bounced",
)
"""The tasks of lifecycle 7, for the due dates that a program may set."""

_REMINDERS_SENT = 2
"""At most three mails carry the same request (lifecycle 2.8)."""


def asks_of(program: Program) -> tuple[str, ...]:
    """The asks that a program makes; each needs its form."""
    phases = program.phases
    left_out = {
        "agreement": phases.expectations.agreement is None,
        "fit_check": phases.expectations.fit_check is None,
        "check_in": phases.check_ins is None,
        "midpoint": phases.midpoint is None,
        "follow_up": phases.closure.follow_up is None,
    }
    return tuple(ask for ask in ASKS if not left_out.get(ask))


def _windows(program: Program) -> Iterator[tuple[Trail, Window]]:
    phases = program.phases
    yield ("phases", "onboarding", "invitation"), phases.onboarding.invitation
    if phases.expectations.agreement:
        yield ("phases", "expectations", "agreement"), phases.expectations.agreement
    if phases.expectations.fit_check:
        yield ("phases", "expectations", "fit_check"), phases.expectations.fit_check
    if phases.midpoint:
        yield ("phases", "midpoint", "window"), phases.midpoint.window
    yield ("phases", "closure", "window"), phases.closure.window
    if phases.closure.follow_up:
        yield ("phases", "closure", "follow_up", "window"), phases.closure.follow_up.window


def check_program(program: Program, source: Source, stem: str, warnings: list[Fault]) -> Iterator[Fault]:
    """Everything that is wrong with a program by itself. `stem` is the file's name without `.yaml`."""
    if program.program != stem:
        yield fault(
            source.place("program"),
            f"the program is called `{program.program}`, and its file {quoted(stem)}",
            f"Write `program: {stem}`, or rename the file.",
        )
    yield from _check_letterbox(program, source, warnings)
    for trail, window in _windows(program):
        yield from _check_window(source, trail, window.reminders, window.closes, warnings)
    yield from check_steps(program, source, warnings)
    check_ins = program.phases.check_ins
    if check_ins is not None:
        trail = ("phases", "check_ins")
        yield from _check_window(source, trail, check_ins.reminders, check_ins.closes, warnings)
        if check_ins.every < 1:
            yield fault(source.place(*trail, "every"), "check-ins need a day between them", "Write `every: 30d`.")
    for kind, days in program.rules.due.items():
        if kind not in TASK_KINDS:
            known = f"Known are {', '.join(TASK_KINDS)}."
            yield fault(
                source.key_place("rules", "due", kind),
                f"there is no task {quoted(kind)}",
                suggestion(kind, TASK_KINDS, known),
            )
        if not 0 <= days <= 250:
            yield fault(
                source.place("rules", "due", kind),
                f"{days} is no number of working days",
                "Write 0 (today) to 250.",
            )
    for ask in program.forms:
        if ask not in ASKS:
            yield fault(
                source.key_place("forms", ask),
                f"no form is asked as {quoted(ask)}",
                suggestion(ask, ASKS, f"Known are {', '.join(ASKS)}."),
            )


def _check_letterbox(program: Program, source: Source, warnings: list[Fault]) -> Iterator[Fault]:
    box = program.letterbox
    if box.opens.tzinfo or box.closes.tzinfo:
        yield fault(
            source.place("letterbox"),
            "the letterbox opens on the clock of the person, in no zone of its own",
            'Write "09:00".',
        )
    elif box.opens >= box.closes:
        yield fault(
            source.place("letterbox", "closes"),
            "the letterbox closes before it opens",
            'Write a later time, such as "18:00".',
        )
    elif _minutes(box.closes) - _minutes(box.opens) < SHORT_LETTERBOX:
        warnings.append(
            fault(
                source.place("letterbox", "closes"),
                f"the letterbox is open for less than {SHORT_LETTERBOX} minutes a day",
                'Write a later time, such as "18:00".',
            )
        )
    if not box.days:
        yield fault(
            source.place("letterbox", "days"),
            "the letterbox opens on no day, so no mail could ever arrive",
            "Write `days: [mon, tue, wed, thu, fri]`.",
        )


def _minutes(at: time) -> int:
    return at.hour * 60 + at.minute


def _check_window(
    source: Source, trail: Trail, reminders: tuple[int, ...], closes: int, warnings: list[Fault]
) -> Iterator[Fault]:
    name = trail[-2] if trail[-1] == "window" else trail[-1]
    for index, days in enumerate(reminders):
        place = source.place(*trail, "reminders", index)
        if days >= closes:
            yield fault(
                place,
                f"the reminder of `{name}` after {days} days comes on or after the close, which is after {closes}",
                "Write an earlier reminder or a later close.",
            )
        if days <= (reminders[index - 1] if index else 0):
            yield fault(
                place,
                f"the reminders of `{name}` must come one after the other, and after the opening",
                "Write them in order, such as [4d, 9d].",
            )
        if index == _REMINDERS_SENT:
            warnings.append(
                fault(
                    place,
                    f"only two reminders of `{name}` are ever sent",
                    "Three mails carry the same request at most; remove the rest.",
                )
            )
