"""The edges of lifecycle 8: changes at awkward moments. The dates stand here as counted by hand from the page."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from lifecycle.events import (
    Add,
    Bounced,
    Cancel,
    Corrected,
    End,
    Event,
    Extend,
    Leave,
    Moved,
    Nudge,
    Pause,
    ProposeEnd,
    Release,
    Remove,
    Replace,
    Resume,
)
from testing.cohorts.one_mentorship import OneMentorship, one_mentorship

Script = Callable[[OneMentorship], OneMentorship]


def since(played: OneMentorship, day: int, person: str) -> list[str]:
    """What one person was told from a day on."""
    return [line for line in played.everything_told(person) if int(line.split()[0][1:]) >= day]


def s_m_e(played: OneMentorship) -> list[int]:
    """S, M and E, in days after the first S."""
    state = played.state
    return [played.offset(on) for on in (state.start, state.midpoint, state.end)]


# -- pauses ------------------------------------------------------------------------------------------------------


def paused(first: int, last: int) -> Script:
    return lambda played: played.on(first, Pause(f"pause {first}", played.day(last), "mia"))


def both_paused(played: OneMentorship) -> OneMentorship:
    """The mentor from S+80 to S+95, the mentee from S+90 to S+110."""
    return played.on(80, Pause("a", played.day(95), "mia")).on(90, Pause("b", played.day(110), "ned"))


PAUSES: list[tuple[str, Script, list[int], list[int], list[str], int]] = [
    # what, the pause; then S, M, E, the openings of the check-ins, and the lines of midpoint and closure; the end.
    ("across the midpoint", paused(80, 100), [0, 111, 202], [30, 60, 140, 170],
     ["midpoint 1 S+104..118 settled S+105", "closure 1 S+199..223 settled S+200"], 202),
    ("while its form is out", paused(88, 108), [0, 111, 202], [30, 60, 140, 170],
     ["midpoint 1 S+84..118 settled S+119", "closure 1 S+199..223 settled S+200"], 202),
    ("from the very midpoint", paused(91, 101), [0, 101, 192], [30, 60, 130, 160],
     ["midpoint 1 S+84..108 settled S+109", "closure 1 S+189..213 settled S+190"], 192),
    ("of both, overlapping", both_paused, [0, 121, 212], [30, 60, 150, 180],
     ["midpoint 1 S+114..128 settled S+115", "closure 1 S+209..233 settled S+210"], 212),
    ("until after the end", paused(100, 200), [0, 91, 282], [30, 60, 220, 250],
     ["midpoint 1 S+84..98 settled S+85", "closure 1 S+279..303 settled S+280"], 282),
    ("on the very first day", paused(0, 14), [0, 105, 196], [44, 74, 134, 164],
     ["midpoint 1 S+98..112 settled S+99", "closure 1 S+193..217 settled S+194"], 196),
    ("on the last day", paused(182, 192), [0, 91, 192], [30, 60, 120, 150],
     ["midpoint 1 S+84..98 settled S+85", "closure 1 S+179..203 settled S+180"], 182),
]  # fmt: skip


@pytest.mark.parametrize(
    ("what", "script", "dates", "check_ins", "forms", "over"), PAUSES, ids=[p[0] for p in PAUSES]
)
def test_a_pause(
    what: str, script: Script, dates: list[int], check_ins: list[int], forms: list[str], over: int
) -> None:
    played = one_mentorship()
    if "form is out" in what or "very midpoint" in what:
        played.silent("ned", "midpoint")
    script(played).play()
    assert played.opens("check_in") == check_ins
    assert played.plan("midpoint", "closure") == forms
    assert played.ending == ("completed", "", over)
    if what != "on the last day":  # the farewell of that day was said in its first minute: it is final
        assert s_m_e(played) == dates


def test_a_pause_while_the_midpoint_form_is_out_moves_the_reminders_that_are_left() -> None:
    # Reminders +6d and +10d: S+90 is over when the pause begins at S+91, S+94 moves by ten days.
    played = (
        one_mentorship()
        .silent("ned", "midpoint")
        .on(91, Pause("p", one_mentorship().day(101), "mia"))
        .play(until=112)
    )
    assert played.mail("midpoint")["ned"] == ["request S+84", "reminder S+90", "reminder S+104"]


def test_an_early_end_on_the_paused_first_day_is_no_earlier_than_the_start() -> None:
    played = (
        one_mentorship().on(0, Pause("p", one_mentorship().day(14), "mia")).on(5, End("e", "no_fault", "cora")).play()
    )
    assert s_m_e(played) == [0, 5, 5]
    assert played.plan("closure") == ["closure 1 S+6..30 settled S+7"]


# -- extensions --------------------------------------------------------------------------------------------------


def test_extended_during_the_closure_window_the_form_is_withdrawn_and_comes_again() -> None:
    played = one_mentorship().silent("ned", "closure 1").on(190, Extend("e", 4, "cora")).play()
    # E = 182 + 28 = 210: winding down at 182 and 196 or on the day of the change, closure 207 to 231.
    assert played.plan("closure") == ["closure 1 S+179..203 skipped", "closure 2 S+207..231 settled S+208"]
    assert since(played, 179, "mia") == [
        "S+179 request closure 1",
        "S+196 notice winding_down 2",
        "S+207 request closure 2",
        "S+210 notice farewell 1",
        "S+392 request follow_up 1",
    ]
    assert played.ending == ("completed", "", 210)


def test_extended_so_little_that_the_end_would_be_past_says_how_many_weeks_work() -> None:
    played = one_mentorship().silent("ned", "closure").on(200, Extend("e", 1, "cora")).play(until=201)
    assert played.refused == ["its end would be 2027-07-26, which is past; write 3 weeks or more"]
    assert played.on(201, Extend("f", 3, "cora")).play().ending == ("completed_partial", "", 225)


# -- replaced ----------------------------------------------------------------------------------------------------

REPLACED: list[tuple[str, int, list[str]]] = [
    ("before the invitations", -25,
     ["S-21 request invitation 1", "S+0 notice introduction 1", "S+0 request agreement 1",
      "S+2 notice agreement_concluded 1", "S+14 request fit_check 1", "S+30 request check_in 1"]),
    ("in onboarding", -10,
     ["S-10 request invitation 2", "S+0 notice introduction 1", "S+0 request agreement 1",
      "S+2 notice agreement_concluded 1", "S+14 request fit_check 1", "S+30 request check_in 1"]),
    ("in week 10", 68,
     ["S+68 request invitation 2", "S+69 notice introduction 2", "S+69 request agreement 2",
      "S+71 notice agreement_concluded 2", "S+84 request midpoint 1", "S+85 notice joint_sheet 1"]),
    ("in the last weeks", 160,
     ["S+160 request invitation 2", "S+161 notice introduction 2", "S+161 request agreement 2",
      "S+163 notice agreement_concluded 2", "S+168 notice winding_down 2", "S+179 request closure 1"]),
]  # fmt: skip


@pytest.mark.parametrize(("when", "day", "told"), REPLACED, ids=[when for when, _, _ in REPLACED])
def test_replaced(when: str, day: int, told: list[str]) -> None:
    played = one_mentorship().on(day, Replace("e", "ned", "nils", "", "cora")).play()
    assert played.everything_told("nils")[:6] == told
    assert since(played, day, "ned") == [] if day > 0 else "ned" not in played.told("introduction")
    assert s_m_e(played) == [0, 91, 182]
    assert played.opens("check_in") == [30, 60, 120, 150]
    assert played.ending == ("completed", "", 182)


def test_a_newcomer_who_has_not_accepted_by_the_closure_form_joins_no_more() -> None:
    played = (
        one_mentorship().on(178, Replace("e", "ned", "nils", "", "cora")).says("nils", "invitation", after=5).play()
    )
    assert played.everything_told("nils") == ["S+178 request invitation 2"]
    assert played.plan("invitation")[1] == "invitation 2 S+178..192 skipped"
    assert played.step("closure").asked == ["mia"]
    assert played.opens("agreement") == [0]
    assert played.ending == ("completed", "", 182)


# -- groups ------------------------------------------------------------------------------------------------------


def test_a_group_that_shrinks_to_one_by_people_who_leave() -> None:
    played = one_mentorship("group").on(40, Leave("a", "nia")).on(45, Leave("b", "noa")).play()
    # S+40 is a Saturday, S+45 a Thursday; three working days after them are S+44 and S+50.
    assert played.task_lines() == [
        "withdrawn S+40 due S+44 lapsed S+182",
        "small_group S+45 due S+50 lapsed S+182",
    ]
    assert played.step("check_in", 2).asked == ["mia", "ned"]
    assert played.ending == ("completed", "", 182)


def test_a_group_that_shrinks_to_one_by_a_coordinator_and_grows_again() -> None:
    played = one_mentorship("group").on(40, Remove("a", "nia", "cora")).on(45, Remove("b", "noa", "cora"))
    played.on(47, Add("c", "nils", "mentee", "", "cora")).play()
    assert played.task_lines() == ["small_group S+45 due S+50 lapsed S+182"]
    assert played.told("partner_left") == {}
    assert played.step("check_in", 2).asked == ["mia", "ned", "nils"]


def test_a_group_without_any_mentee_asks_its_mentor_nothing_more_about_them() -> None:
    played = one_mentorship("group")
    for day, person in ((40, "nia"), (45, "noa"), (50, "ned")):
        played.on(day, Leave(f"e{day}", person))
    played.play()
    assert since(played, 51, "mia") == [
        "S+179 request closure 1",
        "S+182 notice farewell 1",
        "S+364 request follow_up 1",
    ]
    assert played.ending == ("completed", "", 182)


# -- another zone ------------------------------------------------------------------------------------------------


def test_a_zone_changed_in_the_middle_moves_what_is_open_and_what_comes() -> None:
    # S+98 is 26 April, S+120 is 18 May: summer in Berlin (UTC+2), winter in Auckland (UTC+12).
    played = one_mentorship().silent("ned", "midpoint").on(86, Moved("e", "ned", "Pacific/Auckland")).play()
    settled = next(done.now for done in played.batches for step in done.steps
                   if (step.name, step.state) == ("midpoint", "settled"))  # fmt: skip
    opened = next(done.now for done in played.batches for asked in done.open_requests
                  if (asked.ask, asked.number) == ("check_in", 3))  # fmt: skip
    assert settled.isoformat() == "2027-04-26T22:00:00+00:00"  # has ended for the last: Berlin
    assert opened.isoformat() == "2027-05-17T12:00:00+00:00"  # begins for the first: Auckland
    assert s_m_e(played) == [0, 91, 182]


# -- the ends, in each phase -------------------------------------------------------------------------------------

PHASES = {"onboarding": -10, "expectations": 10, "check_ins": 40, "midpoint": 90, "winding down": 160}
"""A day in each phase; in the closure window there is a test of its own."""

ENDS: list[tuple[str, Event, dict[str, tuple[str, str, int]]]] = [
    # The form opens on the day after, all are in on the day after that; before S there is nothing to look back on.
    ("end", End("e", "goals_reached", "cora"), {
        "onboarding": ("never_started", "goals_reached", -10), "expectations": ("ended_early", "goals_reached", 12),
        "check_ins": ("ended_early", "goals_reached", 42), "midpoint": ("ended_early", "goals_reached", 92),
        "winding down": ("ended_early", "goals_reached", 162)}),
    ("cancel", Cancel("e", "cora"), {
        "onboarding": ("cancelled", "", -10), "expectations": ("cancelled", "", 10),
        "check_ins": ("cancelled", "", 40), "midpoint": ("cancelled", "", 90),
        "winding down": ("cancelled", "", 160)}),
    ("transferred", End("e", "transferred", "cora"), {
        "onboarding": ("transferred", "", -10), "expectations": ("transferred", "", 10),
        "check_ins": ("transferred", "", 40), "midpoint": ("transferred", "", 90),
        "winding down": ("transferred", "", 160)}),
    # Those who stay fill in the closure form at the planned end; before S an empty seat is given up at S+21.
    ("leave", Leave("e", "ned"), {
        "onboarding": ("never_started", "no_decision", 22), "expectations": ("completed", "", 182),
        "check_ins": ("completed", "", 182), "midpoint": ("completed", "", 182),
        "winding down": ("completed", "", 182)}),
]  # fmt: skip


@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize(("what", "event", "endings"), ENDS, ids=[what for what, _, _ in ENDS])
@pytest.mark.parametrize("still", [False, True], ids=["", "paused"])
def test_an_end(what: str, event: Event, endings: dict[str, tuple[str, str, int]], phase: str, still: bool) -> None:
    day = PHASES[phase]
    played = one_mentorship().on(day, event)
    if still:
        played.on(day - 1, Pause("p", one_mentorship().day(day + 3), "mia"))
    if what in ("end", "transferred", "cancel") or not still:
        assert played.play().ending == endings[phase]
    else:
        # A pause of four days: the planned end lies four days later.
        ending, reason, on = endings[phase]
        assert played.play().ending == (ending, reason, on + 4)
    later = {item.name for item in played.items if item.day > day and item.person == "ned"}
    assert later <= {"closure", "farewell", "follow_up"}
    if what in ("cancel", "transferred", "leave"):
        assert later == set()


def test_an_end_in_the_closure_window_asks_nobody_again_who_has_said_how_it_was() -> None:
    played = one_mentorship().silent("ned", "closure 1").on(185, End("e", "goals_reached", "cora")).play()
    assert played.plan("closure") == ["closure 1 S+179..203 skipped", "closure 2 S+186..210 settled S+187"]
    assert played.mail("closure")["mia"] == ["request S+179"]
    assert played.ending == ("ended_early", "goals_reached", 187)


def test_transferred_asks_for_nothing_more_and_tells_everybody_who_takes_part() -> None:
    played = one_mentorship("group").silent("everyone", "check_in 1").on(35, End("e", "transferred", "cora")).play()
    assert played.told("transferred") == {person: [35] for person in ("mia", "ned", "noa", "nia")}
    assert {item.name for item in played.items if item.day >= 35} == {"transferred"}
    assert played.state.finished


def proposals(played: OneMentorship, day: int) -> OneMentorship:
    return played.on(day, ProposeEnd("a", "ned")).on(day + 1, ProposeEnd("b", "mia", "goals_reached"))


@pytest.mark.parametrize(
    ("phase", "over"), [("expectations", 13), ("check_ins", 43), ("midpoint", 93), ("winding down", 163)]
)
def test_an_end_that_all_propose(phase: str, over: int) -> None:
    day = PHASES[phase]
    played = proposals(one_mentorship(), day).play()
    assert played.ending == ("ended_early", "no_fault", over)
    assert [line.split(" due ")[0] for line in played.task_lines()] == [f"help S+{day}"]
    assert played.tasks[0].decision == "end"


def test_before_the_start_one_leaves_and_proposes_nothing() -> None:
    played = proposals(one_mentorship(), -10).play(until=-5)
    assert played.refused == ["the mentorship has not begun; leave it instead"] * 2


def test_a_proposal_that_a_coordinator_has_answered_is_not_kept_for_months() -> None:
    played = (
        one_mentorship()
        .on(40, ProposeEnd("a", "ned"))
        .decides("help", "noted")
        .on(130, ProposeEnd("b", "mia"))
        .play()
    )
    assert [line.kind for line in played.tasks] == ["help", "help"]
    assert played.ending == ("completed", "", 182)


def test_nor_does_it_hold_for_somebody_new() -> None:
    played = one_mentorship().on(40, ProposeEnd("a", "mia")).on(45, Replace("b", "ned", "nils", "", "cora"))
    played.on(60, ProposeEnd("c", "nils")).play()
    assert played.ending == ("completed", "", 182)


def test_a_word_that_somebody_asked_for_is_not_forgotten_over_an_end_by_all() -> None:
    played = one_mentorship().says("ned", "check_in 1", p_help="yes")
    proposals(played, 40).play(until=60)
    assert played.ending == ("ended_early", "no_fault", 43)
    assert [(line.kind, line.closed) for line in played.tasks] == [("help", None)]


def test_somebody_who_has_not_accepted_yet_proposes_no_end() -> None:
    played = one_mentorship().on(40, Replace("a", "ned", "nils", "", "cora")).silent("nils", "invitation")
    played.on(42, ProposeEnd("b", "nils")).play(until=43)
    assert played.refused == ["you have not taken your seat; decline the invitation instead"]


# -- nothing to do -----------------------------------------------------------------------------------------------

NOTHING: list[tuple[Event, str]] = [
    (Release("e", "cora"), "nothing is held; there is nothing to release"),
    (Resume("e", "cora"), "the mentorship is not paused; there is nothing to resume"),
    (ProposeEnd("e", "ned", "boredom"), "'boredom' is no reason to propose; write one of no_fault, goals_reached"),
    (Pause("e", None, "cora", based_on=3),
     "it was changed meanwhile (Nudge on 2027-02-22 by cora); look again before you decide"),
]  # fmt: skip


@pytest.mark.parametrize(("event", "reason"), NOTHING)
def test_what_makes_no_sense_is_refused(event: Event, reason: str) -> None:
    played = one_mentorship().on(35, Nudge("n", "cora")).play(until=40)
    played.turn(event)
    assert played.refused == [reason]


def test_a_release_of_a_hold_closes_the_task_of_the_report_and_can_be_given_once() -> None:
    played = (
        one_mentorship()
        .says("ned", "check_in 1", p_help="safety")
        .on(33, Release("a", "cora"))
        .on(34, Release("b", "x"))
    )
    played.play(until=35)
    assert [(line.kind, line.closed, line.decision) for line in played.tasks] == [("safety", 33, "release")]
    assert played.refused == ["nothing is held; there is nothing to release"]


def test_a_corrected_address_closes_the_task_that_asked_for_it() -> None:
    played = one_mentorship().on(35, Bounced("a", "ned")).on(36, Bounced("b", "mia"))
    played.on(37, Corrected("c", "ned", "cora")).play(until=38)
    assert [(line.kind, line.closed) for line in played.tasks] == [("bounced", None)]
    played.on(39, Corrected("d", "mia", "cora")).play(until=40)
    assert [(line.kind, line.closed, line.decision) for line in played.tasks] == [("bounced", 39, "correct")]
