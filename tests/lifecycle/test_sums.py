"""Lifecycle 8: changes add up. A change in parts leaves what the one change leaves that they add up to."""

from __future__ import annotations

import re

from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from lifecycle.events import Extend, Pause, Resume
from testing.cohorts.one_mentorship import OneMentorship, one_mentorship

ASKS = ("invitation", "agreement", "fit_check", "check_in", "midpoint", "closure", "check_in 2")

formats = st.sampled_from(["one_to_one", "reverse", "peer", "group"])
silences = st.lists(st.sampled_from(ASKS), max_size=3)
days = st.integers(-25, 200)

few = settings(max_examples=settings().max_examples // 4)
"""Each example lives two whole lives."""


def lived(played: OneMentorship, without: str = "") -> tuple[object, ...]:
    """Everything that came of it: the plan, what was told to whom and when, tasks, the ending; `without` leaves out
    a step of this name."""
    state = played.state
    items = [item for item in played.items if item.name != without]
    told = [(item.day, item.person, item.kind, item.name, item.number) for item in items]
    dates = [played.offset(on) for on in (state.start, state.midpoint, state.end)]
    # A form that everybody filled in during a pause keeps the last day that it had then.
    lines = [line for line in played.plan() if line.split()[0] != without]
    plan = [re.sub(r"\.\.\d+ settled|\.\.-\d+ settled", " settled", line) for line in lines]
    return dates, plan, sorted(told), played.task_lines(), played.ending


def one_of(format_: str, quiet: list[str]) -> OneMentorship:
    """A season in which somebody stays silent."""
    return one_mentorship(format_).silent("ned", *quiet).silent("pat", *quiet[:1])


@few
@given(formats, silences, days, st.integers(1, 60), st.integers(0, 59))
def test_a_pause_that_is_resumed_early_is_the_shorter_pause(
    format_: str, quiet: list[str], day: int, length: int, resumed_after: int
) -> None:
    assume(resumed_after < length)
    long, short = one_of(format_, quiet), one_of(format_, quiet)
    long.on(day, Pause("p", long.day(day + length), "cora"))
    long.on(day + resumed_after, Resume("r", "cora"), hour=12 if resumed_after else 13)
    if resumed_after:
        short.on(day, Pause("p", short.day(day + resumed_after), "cora"))
    assert lived(long.play()) == lived(short.play())


@few
@given(formats, silences, days, st.lists(st.integers(1, 20), min_size=1, max_size=4), st.data())
def test_a_pause_in_parts_is_the_whole_pause(
    format_: str, quiet: list[str], day: int, parts: list[int], data: st.DataObject
) -> None:
    """Each part is given while the one before it lasts, or right when it ends."""
    parted, whole = one_of(format_, quiet), one_of(format_, quiet)
    at = until = day
    for number, part in enumerate(parts):
        given_on = data.draw(st.integers(at, until))
        at, until = given_on, until + part
        # Before noon on the day on which the last part ends: midnight.
        parted.on(given_on, Pause(f"p{number}", parted.day(until), "ned"), hour=0 if number else 12)
    whole.on(day, Pause("p", whole.day(until), "ned"))
    # Each part that begins when the one before is over moves E once more, and brings the winding down once more.
    assert lived(parted.play(), "winding_down") == lived(whole.play(), "winding_down")


@few
@given(formats, silences, days, st.lists(st.integers(1, 30), min_size=1, max_size=4))
def test_an_extension_in_parts_is_the_whole_extension(
    format_: str, quiet: list[str], day: int, parts: list[int]
) -> None:
    parted, whole = one_of(format_, quiet), one_of(format_, quiet)
    for number, part in enumerate(parts):
        parted.on(day, Extend(f"e{number}", part, "cora"))
    whole.on(day, Extend("e", sum(parts), "cora"))
    parted.play()
    assume(not parted.refused)
    # What fell due between the parts has been said.
    assume(not [item for item in parted.items if item.day == day and item.name in ("winding_down", "closure")])
    assert lived(parted) == lived(whole.play())


@few
@given(days, days, st.integers(1, 30), st.integers(1, 30))
def test_whenever_the_parts_come_the_end_lies_later_by_their_sum(first: int, second: int, a: int, b: int) -> None:
    first, second = sorted((first, second))
    parted = one_mentorship().on(first, Extend("a", a, "cora")).on(second, Extend("b", b, "cora")).play()
    assume(not parted.refused)
    assert parted.offset(parted.state.end) == 182 + 7 * (a + b)
    if second < 84:
        whole = one_mentorship().on(first, Extend("e", a + b, "cora")).play()
        assert parted.state.midpoint == whole.state.midpoint


@few
@given(formats, days, st.integers(1, 30), st.integers(1, 60))
@example("one_to_one", 179, 1, 1)
def test_pause_and_extension_of_one_moment_know_no_order(format_: str, day: int, weeks: int, length: int) -> None:
    one, other = one_mentorship(format_), one_mentorship(format_)
    longer, still = Extend("e", weeks, "cora"), Pause("p", one.day(day + length), "ned")
    one.on(day, longer).on(day, still)
    other.on(day, still).on(day, longer)
    assert without_windows_left_out(lived(one.play())) == without_windows_left_out(lived(other.play()))


def without_windows_left_out(lived: tuple[object, ...]) -> str:
    """What came of it, without the close of a step that was left out: the record keeps the one it had at that moment,
    which a pause just before had moved."""
    return re.sub(r"\.\.\d+ skipped", " skipped", repr(lived))
