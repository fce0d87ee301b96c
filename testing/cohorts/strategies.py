"""Any life that a mentorship can have: its program, its people, and what happens to them when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from hypothesis import strategies as st

from program.models import Program

ZONES = (
    "Europe/Berlin", "America/Los_Angeles", "Pacific/Auckland", "Asia/Kathmandu", "Africa/Cairo",
    "Pacific/Kiritimati", "Pacific/Pago_Pago",
)  # fmt: skip


# -- anything that can be ----------------------------------------------------------------------------------------


def windows(anchor: str, earliest: int, latest: int) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {
            "opens": st.integers(earliest, latest).map(lambda days: {"anchor": anchor, "offset": days}),
            "reminders": st.lists(st.integers(0, 30), max_size=3).map(sorted),
            "closes": st.integers(0, 30),
        }
    )


programs = st.fixed_dictionaries(
    {
        "program": st.just("p"),
        "title": st.just("P"),
        "format": st.sampled_from(["one_to_one", "reverse", "peer", "group"]),
        "length": st.integers(1, 300) | st.just(182),
        "rules": st.fixed_dictionaries(
            {"silence": st.sampled_from([90, 20]), "open_pause_reminder": st.sampled_from([30, 0])}
        ),
        "phases": st.fixed_dictionaries(
            {
                "onboarding": st.just({}) | st.fixed_dictionaries({"invitation": windows("start", -40, 5)}),
                "expectations": st.just({})
                | st.fixed_dictionaries(
                    {
                        "agreement": st.none() | windows("start", 0, 20),
                        "fit_check": st.none() | windows("start", 0, 40),
                    }
                ),
                "check_ins": st.none()
                | st.just({})
                | st.fixed_dictionaries({"every": st.integers(0, 60), "closes": st.integers(0, 20)}),
                "midpoint": st.none() | st.just({}) | st.fixed_dictionaries({"window": windows("midpoint", -20, 20)}),
                "closure": st.just({})
                | st.fixed_dictionaries(
                    {
                        "window": windows("end", -20, 20),
                        "winding_down": st.lists(st.integers(0, 40).map(lambda days: f"end - {days}d"), max_size=3),
                        "follow_up": st.none() | st.fixed_dictionaries({"window": windows("end", -5, 200)}),
                    }
                ),
            }
        ),
    }
).map(Program.model_validate)

EVENTS = (
    "answer", "answer", "answer", "decide", "decide", "pause", "open pause", "planned pause",
    "resume", "extend", "end", "replace",
    "add", "remove", "leave", "nudge", "release", "cancel", "move", "see", "bounce", "nonsense", "again", "assessed",
    "propose", "propose", "correct", "staff", "adopt", "adopt",
)  # fmt: skip


@dataclass(frozen=True)
class TimedEvent:
    """Something that happens so many hours later; `a` and `b` choose whom and how."""

    hours: int
    what: str
    a: int
    b: int


happenings = st.builds(
    TimedEvent,
    hours=st.integers(0, 24 * 25) | st.integers(0, 48),
    what=st.sampled_from(EVENTS),
    a=st.integers(0, 11),
    b=st.integers(0, 11),
)


@dataclass(frozen=True)
class MentorshipCase:
    """Where a mentorship comes from, and what happens to it."""

    program: Program
    edited: tuple[Program, ...]
    """Other versions of it, which may be taken up on the way."""
    start: date
    launched: int
    zones: tuple[str, ...]
    mentees: int
    happenings: tuple[TimedEvent, ...]
    diligence: float
    willing: bool
    """Everybody accepts within a day."""
    seed: int


mentorship_cases = st.builds(
    MentorshipCase,
    program=programs,
    edited=st.lists(programs, min_size=2, max_size=2).map(tuple),
    start=st.dates(date(2026, 1, 1), date(2029, 12, 31)),
    launched=st.integers(-60, 60),
    zones=st.lists(st.sampled_from(ZONES), min_size=5, max_size=5).map(tuple),
    mentees=st.integers(1, 3),
    happenings=st.integers(0, 30).flatmap(lambda n: st.lists(happenings, min_size=n, max_size=n)).map(tuple),
    diligence=st.sampled_from([0.0, 0.5, 0.9, 1.0]),
    willing=st.integers(0, 4).map(bool),
    seed=st.integers(0, 999),
)
