"""Whether every step of a program can happen, and in an order that makes sense (lifecycle 4).

A step that can never happen is a fault. One that can happen at an odd moment is a warning, which `launch` repeats and
wants confirmed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from program.durations import StepDate
from program.faults import Fault, Place, fault
from program.files.reading import Source, Trail
from program.models import Program, Window

SHORTEST, LONG, LONGEST = 7, 2 * 364, 5 * 364
"""Days that a mentorship lasts at least, usually at most, and at most."""
EARLY = 366
"""Days before the start from which an invitation is suspiciously early."""
MANY_CHECK_INS = 60
"""More than that is taken for a slip of the pen."""
SHORT_LETTERBOX = 30
"""Minutes."""

Severity = Literal["fault", "warning"]
Finding = tuple[Severity, Trail, str, str]
"""How bad, where, what is wrong, what to write instead."""


def check_steps(program: Program, source: Source, warnings: list[Fault]) -> Iterator[Fault]:
    """The faults of the steps' dates; what is only odd is added to the warnings."""
    if not SHORTEST <= program.length <= LONGEST:
        problem = "a mentorship lasts a week at least" if program.length < SHORTEST else _too_long(program)
        yield fault(source.place("length"), problem, "Write a length such as `length: 26w`.")
        return
    for severity, trail, problem, remedy in _Steps(program).findings():
        found = fault(_cause(source, trail), problem, remedy)
        if severity == "fault":
            yield found
        else:
            warnings.append(found)


def _too_long(program: Program) -> str:
    return f"a mentorship lasts five years at most, and this is {program.length // 7} weeks"


def _cause(source: Source, trail: Trail) -> Place:
    """Where a date stands; where it is inherited and the length is not, the length is what makes it wrong."""
    place, length = source.place(*trail), source.place("length")
    return length if place.inherited and not length.inherited else place


class _Steps:
    """The steps of a program in days after its start."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.phases = program.phases
        self.end = program.length

    def on(self, step: StepDate) -> int:
        """The day of a step date, counted from the start."""
        anchors = {"start": 0, "midpoint": self.program.length // 2, "end": self.program.length}
        return anchors[step.anchor] + step.offset

    def closes(self, window: Window) -> int:
        """The day on which a window closes."""
        return self.on(window.opens) + window.closes

    def findings(self) -> Iterator[Finding]:
        """Everything that is wrong or odd."""
        if self.end > LONG:
            weeks = self.end // 7
            yield "warning", ("length",), f"a mentorship of {weeks} weeks is unusually long", "Check `length`."
        yield from self._onboarding()
        yield from self._expectations()
        yield from self._check_ins()
        yield from self._midpoint()
        yield from self._winding_down()
        yield from self._closure()
        yield from self._follow_up()
        yield from self._waits()

    def _onboarding(self) -> Iterator[Finding]:
        onboarding = self.phases.onboarding
        here: Trail = ("phases", "onboarding")
        opens, closes = self.on(onboarding.invitation.opens), self.closes(onboarding.invitation)
        give_up, introduction = self.on(onboarding.give_up), self.on(self.phases.expectations.introduction)
        at: Trail = (*here, "invitation", "opens")
        if opens >= self.end:
            yield "fault", at, "`invitation` falls on or after the end of the mentorship", "Write start - 21d."
            return
        if opens > introduction:
            problem = "`invitation` opens after the introduction, which is for people who have accepted"
            yield "warning", at, problem, "Write an earlier date, such as start - 21d."
        elif opens < -EARLY:
            yield "warning", at, f"`invitation` opens {-opens} days before the start", "Write start - 21d."
        if give_up < opens:
            problem = "a seat would be given up before anybody is invited"
            yield "fault", (*here, "give_up"), problem, "Write a date such as start + 21d."
        elif give_up < closes:
            problem = f"`give_up` gives a seat up {closes - give_up} days before the invitation closes"
            yield "warning", (*here, "give_up"), problem, "Write a later date, or close the invitation earlier."
        if give_up >= self.end:
            problem = f"`give_up` falls on or after the end of a mentorship of {self.end} days"
            yield "warning", (*here, "give_up"), problem, "Write an earlier date, such as start + 1w."

    def _expectations(self) -> Iterator[Finding]:
        expectations = self.phases.expectations
        here: Trail = ("phases", "expectations")
        introduction = self.on(expectations.introduction)
        yield from self._inside((*here, "introduction"), expectations.introduction)
        for name, window in (("agreement", expectations.agreement), ("fit_check", expectations.fit_check)):
            if window is None:
                continue
            yield from self._runs_inside((*here, name), window)
            if self.on(window.opens) < introduction:
                problem = f"`{name}` opens before the introduction, when people don't know each other yet"
                yield "warning", (*here, name, "opens"), problem, "Write a later date."

    def _check_ins(self) -> Iterator[Finding]:
        rhythm = self.phases.check_ins
        here: Trail = ("phases", "check_ins")
        if rhythm is None or rhythm.every < 1:
            return
        opens = self.check_ins()
        if not opens:
            problem = f"no check-in fits into a mentorship of {self.end} days"
            yield "warning", here, problem, "Write a smaller `every`, or `check_ins: null` to leave them out."
            return
        if rhythm.every < rhythm.closes:
            problem = f"a check-in opens every {rhythm.every} days and stays open for {rhythm.closes}: they overlap"
            yield "warning", (*here, "every"), problem, "Write a larger `every`, or an earlier `closes`."
        if len(opens) > MANY_CHECK_INS:
            yield "warning", (*here, "every"), f"everybody gets {len(opens)} check-ins", "Write a larger `every`."
        late = opens[-1] + rhythm.closes - self.end
        if late > 0:
            problem = f"the last check-in closes {late} days after the end of the mentorship"
            yield "warning", (*here, "closes"), problem, "Write an earlier close, or a larger `clear_of_end`."

    def check_ins(self) -> list[int]:
        """The days on which check-ins open (lifecycle 4)."""
        rhythm = self.phases.check_ins
        if rhythm is None or rhythm.every < 1:
            return []
        midpoint = self.program.length // 2
        found = [
            day
            for day in range(rhythm.every, self.end, rhythm.every)
            if self.end - day > rhythm.clear_of_end
            and (self.phases.midpoint is None or abs(day - midpoint) > rhythm.clear_of_midpoint)
        ]
        return found if rhythm.at_most is None else found[: rhythm.at_most]

    def _midpoint(self) -> Iterator[Finding]:
        if self.phases.midpoint is None:
            return
        here: Trail = ("phases", "midpoint", "window")
        window = self.phases.midpoint.window
        yield from self._runs_inside(here, window)
        if self.on(window.opens) >= self.on(self.phases.closure.window.opens):
            problem = "`midpoint` opens on or after the day on which the closure form does"
            yield "warning", (*here, "opens"), problem, "Write a date such as midpoint - 7d."

    def _winding_down(self) -> Iterator[Finding]:
        closure = self.on(self.phases.closure.window.opens)
        before: int | None = None
        for number, step in enumerate(self.phases.closure.winding_down):
            at: Trail = ("phases", "closure", "winding_down", number)
            day = self.on(step)
            if not 0 <= day < self.end:
                side = "before the start" if day < 0 else "on or after the end"
                problem = f"`winding_down` falls {side} of a mentorship of {self.end} days"
                yield "warning", at, problem, "Write another date, or leave the step out."
            elif day > closure:
                yield "warning", at, "`winding_down` comes after the closure form", "Write an earlier date."
            if before is not None and day <= before:
                yield "warning", at, "`winding_down` is not later than the one before it", "Write them in order."
            before = day

    def _closure(self) -> Iterator[Finding]:
        window = self.phases.closure.window
        here: Trail = ("phases", "closure", "window")
        opens, closes = self.on(window.opens), self.closes(window)
        if opens < 0:
            problem = f"`closure` falls before the start of a mentorship of {self.end} days, and would not be asked"
            yield "fault", (*here, "opens"), problem, "Write a date such as end - 3d."
            return
        midpoint = self.phases.midpoint
        if opens <= self.on(self.phases.expectations.introduction):
            yield "warning", (*here, "opens"), "`closure` opens before people have met", "Write end - 3d."
        elif midpoint and opens < self.closes(midpoint.window) and self.on(midpoint.window.opens) < opens:
            problem = "`closure` opens while the midpoint form is open"
            yield "warning", (*here, "opens"), problem, "Write a later date, such as end - 3d."
        if opens > self.end:
            problem = f"`closure` opens {opens - self.end} days after the end of the mentorship"
            yield "warning", (*here, "opens"), problem, "Write a date such as end - 3d."
        if closes < self.end:
            problem = f"`closure` closes {self.end - closes} days before the end of the mentorship"
            yield "warning", (*here, "closes"), problem, "Write a later close, such as 24d."

    def _follow_up(self) -> Iterator[Finding]:
        follow_up = self.phases.closure.follow_up
        if follow_up is None:
            return
        at: Trail = ("phases", "closure", "follow_up", "window", "opens")
        opens = self.on(follow_up.window.opens)
        if opens <= self.end:
            yield "fault", at, "`follow_up` comes after the end of the mentorship", "Write a date such as end + 26w."
        elif opens <= self.closes(self.phases.closure.window):
            problem = "`follow_up` opens before the closure form closes, which asks for it"
            yield "warning", at, problem, "Write a date such as end + 26w."

    def _waits(self) -> Iterator[Finding]:
        """What is counted from an event must take a day at least, or it would come round again at once."""
        rules, rhythm = self.program.rules, self.program.rhythm
        counted: tuple[tuple[Trail, int, str], ...] = (
            (("phases", "onboarding", "wait"), self.phases.onboarding.wait, "7d"),
            (("rules", "silence"), rules.silence, "90d"),
            (("rules", "last_call"), rules.last_call, "7d"),
            (("rules", "open_pause_reminder"), rules.open_pause_reminder, "30d"),
            (("rules", "open_pause_at_most"), rules.open_pause_at_most, "365d"),
            (("rhythm", "every"), rhythm.every, "2w"),
        )
        for trail, days, example in counted:
            if days < 1:
                yield "fault", trail, f"`{trail[-1]}` must be a day at least", f"Write `{trail[-1]}: {example}`."

    def _inside(self, at: Trail, step: StepDate) -> Iterator[Finding]:
        """A step that falls outside the mentorship can't happen."""
        name = next(word for word in reversed(at) if isinstance(word, str) and word not in ("opens", "window"))
        day = self.on(step)
        if not 0 <= day < self.end:
            side = "before the start" if day < 0 else "on or after the end"
            problem = f"`{name}` falls {side} of a mentorship of {self.end} days"
            yield "fault", at, problem, "Write another date, or leave the step out."

    def _runs_inside(self, here: Trail, window: Window) -> Iterator[Finding]:
        yield from self._inside((*here, "opens"), window.opens)
        name, late = here[2] if here[-1] != "window" else here[1], self.closes(window) - self.end
        if late > 0 and self.on(window.opens) < self.end:
            problem = f"`{name}` closes {late} days after the end of the mentorship"
            yield "warning", (*here, "closes"), problem, "Write an earlier opening or close."
