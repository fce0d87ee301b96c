"""Mentorships with what is to come of them: the rows of lifecycle 4 to 6 and the endings, each as people live it.

All of them are played in one season, by real workflows; the tests look each row up in its ledger. A person who is not
scripted answers contentedly on the day after; nobody answers the closure form, unless a row is about it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

START = date(2038, 3, 1)
"""S: a Monday, and far ahead, for the time of a server can only move forward from today. Daylight saving time begins
four weeks later in Berlin, two weeks later in Los Angeles."""
LAUNCH = START - timedelta(days=30)

Script = Mapping[str, Any]
"""An ask, or ask#number, to a reaction as a behaviour file has it."""

TOLD = (
    "get_going", "are_you_there", "closing_for_silence", "agreement_reopened", "agreement_concluded", "not_starting",
    "partner_left", "safety_received", "joint_sheet",
)  # fmt: skip
"""Notices that a case must name if anybody got them."""

NOTED = ("seen_differently", "one_silent", "paused", "would_mentor", "nudged", "late_answer")
"""Lines of the record that a case must name."""

SILENT = "never"
BOTH = "mentor mentee"

SECRET_WORD = "zephyrine-quibble"
"""Stands in every free text that the people of the season write; it must never leave the database and the mail."""


JOINS = ("newcomer", "add")
PEOPLE = ("leave", "replace", "remove", "propose_end", "bounce", "correct", "move", *JOINS)
"""Keys of an event that name a person."""


def says(**answers: Any) -> dict[str, Any]:
    """A reaction with these answers; the rest is content."""
    return {"answers": answers}


def on(days: int) -> str:
    """A date counted from the start."""
    return (START + timedelta(days=days)).isoformat()


def away(*days: tuple[int, int]) -> list[list[str]]:
    """Absences, each from one day to another, counted from the start."""
    return [[on(first), on(last)] for first, last in days]


@dataclass(frozen=True)
class Case:
    """One mentorship: who does what, and what must come of it."""

    key: str
    program: str
    mentor: Script = field(default_factory=dict)
    mentee: Script = field(default_factory=dict)
    others: tuple[Script, ...] = ()
    """Further mentees of a group."""
    decides: Mapping[str, Any] = field(default_factory=dict)
    """Kind of task to the coordinator's decision."""
    events: tuple[Mapping[str, Any], ...] = ()
    """Changes, as a behaviour file has them; people are named by their role, who joins as `new`."""
    zones: tuple[str, ...] = ()

    tasks: tuple[str, ...] = ()
    """`kind decision`, in the order in which they were opened."""
    told: Mapping[str, str] = field(default_factory=dict)
    """Name of a notice in TOLD to the roles that got it."""
    notes: tuple[str, ...] = ()
    """Which of NOTED stand in the record."""
    ending: str = "completed_silent"

    @property
    def peers(self) -> bool:
        """Whether both are peers; then `mentor` and `mentee` say which of them."""
        return self.program.endswith("peer")

    def people(self) -> dict[str, Script]:
        """Person id to script, mentor first."""
        scripts = {f"{self.key}-mentor": self.mentor, f"{self.key}-mentee": self.mentee}
        return scripts | {f"{self.key}-mentee{n}": script for n, script in enumerate(self.others, start=2)}

    def joiners(self) -> list[str]:
        """Ids of those who have no seat yet and get one."""
        return sorted({f"{self.key}-{event[key]}" for event in self.events for key in JOINS if key in event})

    def happenings(self) -> list[dict[str, Any]]:
        """The events as a behaviour file has them."""
        return [self._happening(event) for event in self.events]

    def _happening(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """An event with the ids of this case; with `everybody` it is about no mentorship."""
        written = {key: f"{self.key}-{value}" if key in PEOPLE else value for key, value in event.items()}
        if "to" in written:
            written["to"] = [f"{self.key}-{person}" for person in event["to"]]
        return written if written.pop("everybody", False) else {**written, "mentorship": self.key}


# -- onboarding ------------------------------------------------------------------------------------------------------

DECLINES = {"invitation": says(accept=False)}
ABSENT = {"default": SILENT}

ONBOARDING = [
    Case("declined", "fit", mentor=DECLINES, decides={"seat_empty": "end"}, tasks=("seat_empty end",),
         told={"not_starting": "mentee"}, ending="never_started seat_empty"),
    # Each wait keeps the seat open for a week; the end of S+21d gives it up.
    Case("no-word", "fit", mentee=ABSENT, decides={"seat_empty": "wait"},
         tasks=(*("seat_empty wait",) * 3, "seat_empty lapsed"), told={"not_starting": "mentor"},
         ending="never_started no_decision"),
    Case("nobody", "fit", mentor=ABSENT, mentee=ABSENT, decides={"seat_empty": "end"}, tasks=("seat_empty end",),
         ending="never_started seat_empty"),
    Case("after-all", "fit", mentee={"invitation": {"after": 20}}, decides={"seat_empty": "wait"},
         tasks=("seat_empty wait",)),
]  # fmt: skip

# -- expectations ----------------------------------------------------------------------------------------------------

CHANGES = {"act": "change"}

EXPECTATIONS = [
    Case("agreed", "agreed", told={"agreement_concluded": BOTH}),
    Case("changed-once", "agreed", mentor={"agreement#1": CHANGES}, told={"agreement_concluded": BOTH}),
    Case("changed-thrice", "agreed", mentor={"agreement": CHANGES}, mentee={"agreement#2": CHANGES},
         tasks=("expectations_differ noted",), told={"agreement_concluded": BOTH}),
    Case("no-draft", "agreed", mentee={"agreement": SILENT}, tasks=("no_agreement noted",)),
    Case("unsigned", "agreed", mentor={"agreement": SILENT}, tasks=("no_agreement noted",)),
    Case("signed-late", "agreed", mentor={"agreement": {"after": 22}}, tasks=("no_agreement noted",),
         notes=("late_answer",)),
    Case("between-peers", "agreed_peer", told={"agreement_concluded": BOTH}),
    Case("in-a-group", "agreed_group", others=({},), told={"agreement_concluded": BOTH + " mentee2"}),
    # G: a goal changed. A receipt to who changed it, a notice to the partner, and a new version.
    Case("G", "agreed", mentee={"check_in": says(p_goal="changed")},
         told={"agreement_concluded": BOTH, "agreement_reopened": BOTH}),
    Case("fit-else", "fit", mentee={"fit_check": says(f_action="someone_else")}, tasks=("fit noted",)),
    Case("fit-low", "fit", mentor={"fit_check": says(f_fit=2)}, tasks=("fit noted",)),
    Case("fit-word", "fit", mentee={"fit_check": says(f_action="word")}, tasks=("help noted",)),
    Case("fit-nudge", "fit", mentee={"fit_check": says(f_action="nudge")}, told={"get_going": BOTH}),
    Case("fit-nothing", "fit", mentor={"fit_check": says(f_contact="nothing")},
         mentee={"fit_check": says(f_contact="nothing")}, told={"get_going": BOTH}),
    Case("fit-silent", "fit", mentor={"fit_check": SILENT}, mentee={"fit_check": SILENT}),
]  # fmt: skip

# -- rules after a check-in ------------------------------------------------------------------------------------------

NO_MEETING = says(p_met="0", p_next=False)
MUTE = {"check_in": SILENT}

CHECK_INS = [
    Case("OK", "pulse"),
    Case("S", "pulse", mentee={"check_in#1": says(p_help="safety")}, decides={"safety": "release"},
         tasks=("safety release",), told={"safety_received": "mentee"}),
    Case("H", "pulse", mentee={"check_in#1": says(p_help="yes")}, tasks=("help noted",)),
    Case("H-private", "pulse", mentor={"check_in#2": says(p_help="private")}, tasks=("help noted",)),
    Case("L", "pulse", mentor={"check_in#1": says(m_open=2)}, mentee={"check_in#1": says(p_open=3)},
         decides={"low_score": "nudge"}, tasks=("low_score nudge",), notes=("nudged",)),
    # The first that matches wins: nobody is told to get going who has told us that it does not go well.
    Case("L-before-Z1", "pulse", mentor={"check_in#1": NO_MEETING},
         mentee={"check_in#1": says(p_met="0", p_next=False, p_useful=1)}, tasks=("low_score noted",)),
    Case("Z1", "pulse", mentor={"check_in#1": NO_MEETING}, mentee={"check_in#1": NO_MEETING},
         told={"get_going": BOTH}),
    Case("Z1-booked", "pulse", mentor={"check_in#1": NO_MEETING},
         mentee={"check_in#1": says(p_met="0", p_next=True)}),
    Case("Z1-by-one", "pulse", mentor={"check_in#1": SILENT}, mentee={"check_in#1": NO_MEETING},
         told={"get_going": BOTH}),
    Case("Z2", "pulse", mentor={"check_in": NO_MEETING}, mentee={"check_in": NO_MEETING},
         decides={"stalled": "pause"}, tasks=("stalled pause",), told={"get_going": BOTH}, notes=("paused",)),
    Case("D-open", "pulse", mentor={"check_in#1": says(m_open=3)}, mentee={"check_in#1": says(p_open=5)},
         notes=("seen_differently",)),
    Case("D-met", "pulse", mentor={"check_in#2": says(p_met="1")}, mentee={"check_in#2": says(p_met="3+")},
         notes=("seen_differently",)),
    Case("N1", "pulse", mentor={"check_in#1": SILENT}, notes=("one_silent",)),
    Case("N2-fine", "pulse", mentor={**MUTE, "are_you_there": SILENT}, mentee={"check_in#1": SILENT},
         told={"are_you_there": BOTH}, notes=("one_silent",)),
    Case("N2-stuck", "pulse", mentor={"check_in#1": SILENT, "are_you_there": SILENT},
         mentee={"check_in#1": SILENT, "are_you_there": says(state="stuck")},
         tasks=("help noted",), told={"are_you_there": BOTH}),
    Case("N2-stopped", "pulse", mentor={"check_in#1": SILENT, "are_you_there": SILENT},
         mentee={"check_in#1": SILENT, "are_you_there": says(state="stopped")}, decides={"silent": "end"},
         tasks=("silent end",), told={"are_you_there": BOTH}, ending="ended_early inactive"),
    Case("N3-inactive", "pulse", mentor={**MUTE, "are_you_there": SILENT}, mentee={**MUTE, "are_you_there": SILENT},
         tasks=("silent noted",), told={"are_you_there": BOTH, "closing_for_silence": BOTH},
         ending="ended_early inactive"),
    Case("N3-back", "pulse", mentor={**MUTE, "are_you_there": SILENT},
         mentee={**MUTE, "are_you_there#1": SILENT, "are_you_there#2": says(state="fine")},
         tasks=("silent noted",), told={"are_you_there": BOTH, "closing_for_silence": BOTH}),
    Case("group-N1", "pulse_group", others=(MUTE,), notes=("one_silent",)),
    # Somebody is away when the only reminder would come: it comes when they are back, if the form is open still.
    Case("away-back-in-time", "pulse",
         mentee={"check_in#1": says(p_away=away((30, 31))), "check_in#2": SILENT}, notes=("one_silent",)),
    Case("away-too-long", "pulse",
         mentee={"check_in#1": says(p_away=away((30, 40))), "check_in#2": SILENT}, notes=("one_silent",)),
    Case("away-at-the-first", "formal", mentee={"check_in#2": says(p_away=away((88, 91))), "midpoint": SILENT},
         told={"agreement_concluded": BOTH}),
]  # fmt: skip

# -- the midpoint ----------------------------------------------------------------------------------------------------

MATRIX = """
            continue  change  pause  leave  unsure  nothing
continue    go_on     reopen  task   task   task    go_on
change      -         reopen  task   task   task    reopen
pause       -         -       pause  task   task    task
leave       -         -       -      end    task    task
unsure      -         -       -      -      task    task
nothing     -         -       -      -      -       ask
"""
"""Lifecycle 6, as that page draws it."""

HELD_UNTIL = START + timedelta(days=56)
CHOICES: dict[str, Any] = {
    "continue": says(r_decide="continue"),
    "change": says(r_decide="change"),
    "pause": says(r_decide="pause", r_until=HELD_UNTIL.isoformat()),
    "leave": says(r_decide="new_partner"),
    "unsure": says(r_decide="unsure"),
    "nothing": SILENT,
}
DECISIONS = {
    "continue-leave": "end", "continue-unsure": "reopen_agreement", "continue-pause": "pause",
    "leave-nothing": "end",
}  # fmt: skip
"""What the coordinator decides of the tasks of some cells; of the others, to continue."""

AGREED = {"agreement_concluded": BOTH}


def _cell(mine: str, theirs: str, what: str) -> Case:
    key = f"{mine}-{theirs}"
    decision = DECISIONS.get(key, "continue")
    mentor, mentee = {"midpoint": CHOICES[mine]}, {"midpoint": CHOICES[theirs]}
    if (mine, theirs) == ("pause", "pause"):
        mentee = {"midpoint": says(r_decide="pause", r_until=(HELD_UNTIL - timedelta(days=7)).isoformat())}
    if (mine, theirs) == ("leave", "leave"):
        mentee = {"midpoint": says(r_decide="end")}
    if len(key) % 2:
        mentor, mentee = mentee, mentor  # the order does not matter
    told: dict[str, str] = dict(AGREED)
    if "nothing" not in (mine, theirs) and what != "end":
        told["joint_sheet"] = BOTH
    if what == "ask":
        told["are_you_there"] = BOTH
    ends = what == "end" or (what == "task" and decision == "end")
    return Case(
        key, "halfway", mentor=mentor, mentee=mentee, told=told, decides={"midpoint": decision},
        tasks=(f"midpoint {decision}",) if what == "task" else (),
        notes=("paused",) if what == "pause" or (what == "task" and decision == "pause") else (),
        ending="ended_early no_fault" if ends else "completed_silent",
    )  # fmt: skip


def cells() -> dict[tuple[str, str], str]:
    """Two answers, in the order of the page, to what follows."""
    head, *rows = [line.split() for line in MATRIX.strip().splitlines()]
    return {(row[0], other): cell for row in rows for other, cell in zip(head, row[1:], strict=True) if cell != "-"}


GROUP_TOLD = {"agreement_concluded": BOTH + " mentee2"}
GROUP_SHARES = {**GROUP_TOLD, "joint_sheet": BOTH + " mentee2"}

MIDPOINT = [
    *(_cell(one, other, what) for (one, other), what in cells().items()),
    # Of the mentees' answers the one furthest right counts; one who wants to leave concerns that one alone.
    Case("group-unsure", "halfway_group", mentee={"midpoint": CHOICES["change"]},
         others=({"midpoint": CHOICES["unsure"]},), tasks=("midpoint continue",), told=GROUP_SHARES),
    Case("group-one-leaves", "halfway_group", mentee={"midpoint": CHOICES["leave"]}, others=({},),
         tasks=("midpoint continue",), told=GROUP_SHARES),
    # A joint sheet needs everybody's yes; in a group the mentor's and one mentee's.
    Case("one-refuses", "halfway", mentee={"midpoint": says(r_share=False)}, told=AGREED),
    Case("group-one-refuses", "halfway_group", others=({"midpoint": says(r_share=False)},),
         told={**GROUP_TOLD, "joint_sheet": BOTH}),
    Case("group-mentor-refuses", "halfway_group", mentor={"midpoint": says(r_share=False)}, others=({},),
         told=GROUP_TOLD),
]  # fmt: skip

REOPENED = {f"{one}-{other}" for (one, other), what in cells().items() if what == "reopen"} | {
    "continue-unsure", "G",
}  # fmt: skip
"""Cases whose agreement opens a second time."""

# -- endings, and changes on the way ---------------------------------------------------------------------------------

CLOSES = {"closure": {"after": 2}}


ENDINGS = [
    Case("all-in", "fit", mentor=CLOSES, mentee=CLOSES, notes=("would_mentor",), ending="completed"),
    Case("some-in", "fit", mentor=CLOSES, ending="completed_partial"),
    Case("none-in", "fit", ending="completed_silent"),
    Case("goals-reached", "fit", mentor=CLOSES, mentee=CLOSES, events=({"on": on(9), "end": "goals_reached"},),
         notes=("would_mentor",), ending="ended_early goals_reached"),
    Case("left", "fit", events=({"on": on(8), "leave": "mentee"},), decides={"withdrawn": "end"},
         tasks=("withdrawn end",), told={"partner_left": "mentor"}, ending="ended_early left"),
    Case("safeguarding", "pulse", mentor={"check_in#1": says(p_help="safety")}, decides={"safety": "end"},
         tasks=("safety end",), told={"safety_received": "mentor"}, ending="ended_early safeguarding"),
    Case("paused", "fit", events=({"on": on(5), "pause": "2w"},), notes=("paused",)),
    Case("resumed", "fit", events=({"on": on(5), "pause": "3w"}, {"on": on(12), "resume": True}), notes=("paused",)),
    Case("extended", "fit", events=({"on": on(12), "extend": "2w"},)),
    Case("nudged", "pulse", mentee={"check_in": {"after": 4}}, events=({"on": on(16), "nudge": True},),
         notes=("nudged",)),
]  # fmt: skip

# -- whole lives, on the programs that are shipped -------------------------------------------------------------------

HALFWAY = {**AGREED, "joint_sheet": BOTH}
WHOLE = {"default": {"after": 2, "at": "19:30"}, "closure": {"after": 1}, "follow_up": {"after": 3}}
EARLY_BIRD = {"default": {"after": 0, "at": "23:45"}, "closure": {"after": 0}}

LIVES = [
    Case("life", "formal", mentor=WHOLE, mentee=EARLY_BIRD, zones=("Europe/Berlin", "America/Los_Angeles"),
         told=HALFWAY, notes=("would_mentor",), ending="completed"),
    Case("life-reverse", "reverse", mentor=EARLY_BIRD, mentee=WHOLE, zones=("Pacific/Auckland", "Asia/Kolkata"),
         told=HALFWAY, notes=("would_mentor",), ending="completed"),
    Case("life-peer", "peer", mentor=WHOLE, mentee={**WHOLE, "closure": SILENT},
         zones=("America/Los_Angeles", "Pacific/Auckland"), events=({"on": on(70), "pause": "3w"},),
         told=HALFWAY, notes=("paused", "would_mentor"), ending="completed_partial"),
    Case("life-group", "group", mentor=WHOLE, mentee=WHOLE, others=(EARLY_BIRD, {**WHOLE, "check_in#2": SILENT}),
         zones=("Asia/Kolkata", "Europe/Berlin", "America/Los_Angeles", "Pacific/Auckland"),
         told={"agreement_concluded": BOTH + " mentee2 mentee3", "joint_sheet": BOTH + " mentee2 mentee3"},
         notes=("one_silent", "would_mentor"),
         ending="completed"),
    Case("life-informal", "informal", mentor=WHOLE, mentee=WHOLE, events=({"on": on(40), "extend": "3w"},),
         notes=("would_mentor",), ending="completed"),
]  # fmt: skip

CASES = [*ONBOARDING, *EXPECTATIONS, *CHECK_INS, *MIDPOINT, *ENDINGS, *LIVES]
