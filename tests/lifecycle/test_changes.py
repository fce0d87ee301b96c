"""Lifecycle 8: every change works at any moment, once, and is refused with a reason where it makes no sense."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from lifecycle.events import (
    Add,
    Answered,
    Bounced,
    Cancel,
    Decided,
    End,
    Event,
    Extend,
    Leave,
    Moved,
    Nudge,
    Pause,
    Release,
    Remove,
    Replace,
    Resume,
    Seen,
)
from lifecycle.findings import Signals
from lifecycle.state import State
from testing.cohorts.one_mentorship import START, OneMentorship, one_mentorship

STATES: TypeAdapter[State] = TypeAdapter(State)


def day(offset: int) -> object:
    return one_mentorship().day(offset)


def dates(played: OneMentorship) -> tuple[list[str], list[int]]:
    """The plan without what became of it, and S, M and E."""
    lines = [" ".join(line.split()[:3]) for line in played.plan()]
    state = played.state
    return lines, [played.offset(on) for on in (state.start, state.midpoint, state.end)]


# -- pause and resume --------------------------------------------------------------------------------------------


def test_what_is_not_yet_done_lies_later_by_the_length_of_the_pause() -> None:
    played = one_mentorship().on(40, Pause("e", one_mentorship().day(50), "ned")).play()
    assert dates(played) == (
        [
            "invitation 1 S-21..-7", "introduction 1 S+0", "agreement 1 S+0..21", "fit_check 1 S+14..21",
            "check_in 1 S+30..40", "check_in 2 S+70..80", "midpoint 1 S+94..108", "check_in 3 S+130..140",
            "check_in 4 S+160..170", "winding_down 1 S+164", "winding_down 2 S+178", "closure 1 S+189..213",
            "follow_up 1 S+374..395",
        ],
        [0, 101, 192],
    )  # fmt: skip
    assert played.ending == ("completed", "", 192)
    [paused] = [done for done in played.batches if any(note.name == "paused" for note in done.notes)]
    assert {(step.name, step.number): played.offset(step.opens) for step in paused.steps} == {
        ("check_in", 2): 70, ("midpoint", 1): 94, ("check_in", 3): 130, ("check_in", 4): 160,
        ("winding_down", 1): 164, ("winding_down", 2): 178, ("closure", 1): 189,
    }  # fmt: skip


OPEN = ("check_in", "open")


def test_an_open_window_and_its_reminders_lie_later_too() -> None:
    played = (
        one_mentorship()
        .silent("ned", "check_in 1")
        .on(32, Pause("e", one_mentorship().day(52), "ned"))
        .play(until=70)
    )
    assert played.plan("check_in")[0] == "check_in 1 S+30..60 settled S+61"
    assert played.mail("check_in")["ned"] == ["request S+30", "reminder S+53"]
    moves = [(move.key, played.offset(move.closes)) for done in played.batches for move in done.move_requests]
    assert moves == [("c/m/check_in#1/mia", 60), ("c/m/check_in#1/ned", 60)]
    recorded = [step.closes for done in played.batches for step in done.steps if (step.name, step.state) == OPEN]
    assert recorded == [played.day(40), played.day(40), played.day(60)]  # opened, one answer, paused


def test_nothing_falls_due_while_it_lasts() -> None:
    played = one_mentorship().on(29, Pause("e", one_mentorship().day(59), "ned")).play(until=58)
    assert [item for item in played.items if item.day >= 29] == []
    assert played.batches[-1].snapshot.paused_until == one_mentorship().day(59).isoformat()


def test_a_pause_before_the_start_moves_the_start() -> None:
    played = one_mentorship().on(-5, Pause("e", one_mentorship().day(5), "mia")).play()
    assert played.told("introduction") == {"mia": [10], "ned": [10]}
    assert played.ending == ("completed", "", 192)


def test_a_step_of_the_very_day_on_which_the_pause_begins_has_happened() -> None:
    played = one_mentorship().on(154, Pause("e", one_mentorship().day(164), "ned")).play()
    assert played.told("winding_down") == {"mia": [154, 164, 178], "ned": [154, 164, 178]}


def test_a_step_of_that_day_that_has_not_begun_for_anybody_moves() -> None:
    # In the cohort's zone it is S+60 already, where the participants live it is not.
    home = dict.fromkeys(("mia", "ned"), "America/Los_Angeles")
    played = one_mentorship(zone="Pacific/Auckland", zones=home).on(
        60, Pause("e", one_mentorship().day(70), "ned"), hour=6
    )
    assert played.play().opens("check_in") == [30, 70, 130, 160]


@pytest.mark.parametrize(
    ("script", "same_as"),
    [
        # Early resume.
        (lambda p: p.on(40, Pause("a", p.day(90), "x")).on(50, Resume("b", "x")), (40, 50)),
        # Overlapping pauses merge.
        (lambda p: p.on(40, Pause("a", p.day(50), "x")).on(45, Pause("b", p.day(60), "y")), (40, 60)),
        (lambda p: p.on(40, Pause("a", p.day(60), "x")).on(45, Pause("b", p.day(50), "y")), (40, 60)),
        (lambda p: p.on(40, Pause("a", p.day(50), "x")).on(50, Pause("b", p.day(60), "y"), hour=0), (40, 60)),
        # A pause without end, ended.
        (lambda p: p.on(40, Pause("a", None, "x")).on(61, Resume("b", "x")), (40, 61)),
        # A pause without end that is given one.
        (lambda p: p.on(40, Pause("a", None, "x")).on(50, Pause("b", p.day(61), "y")), (40, 61)),
        # A pause that loses its end, and is resumed.
        (lambda p: p.on(40, Pause("a", p.day(45), "x")).on(42, Pause("b", None, "y")).on(61, Resume("c", "x")),
         (40, 61)),
        # Shorter, then longer again.
        (lambda p: p.on(40, Pause("a", p.day(90), "x")).on(41, Resume("b", "x")).on(41, Pause("c", p.day(50), "x")),
         (40, 50)),
    ],
)  # fmt: skip
def test_pauses_that_overlap_or_end_early_give_the_dates_of_the_one_pause(
    script: Callable[[OneMentorship], OneMentorship], same_as: tuple[int, int]
) -> None:
    first, last = same_as
    one = one_mentorship().silent("ned", "check_in 1").on(first, Pause("one", one_mentorship().day(last), "x")).play()
    several = script(one_mentorship().silent("ned", "check_in 1")).play()
    assert dates(several) == dates(one)
    assert several.ending == one.ending


def test_a_pause_without_end_reminds_the_coordinator_every_thirty_days() -> None:
    played = one_mentorship().on(40, Pause("e", None, "ned")).play(until=140)
    assert played.told("still_paused") == {"cora": [70, 100, 130]}
    assert played.on(141, Resume("r", "cora")).play().ending == ("completed", "", 283)


def test_a_pause_that_nobody_ends_ends_the_mentorship_after_a_year() -> None:
    played = one_mentorship().on(40, Pause("e", None, "ned")).silent("everyone", "closure").play()
    assert played.noted("ending_early") == [(405, "", "inactive")]
    assert played.ending == ("ended_early", "inactive", 431)


def test_the_days_of_a_pause_do_not_count_as_silence() -> None:
    quiet = ("fit_check", "check_in", "midpoint", "are_you_there", "closure")
    played = one_mentorship().silent("everyone", *quiet).on(80, Pause("e", one_mentorship().day(100), "cora")).play()
    assert played.told("closing_for_silence") == {"mia": [190], "ned": [190]}


def test_a_window_that_opens_in_a_pause_counts_from_its_end() -> None:
    played = one_mentorship("group").on(40, Pause("e", one_mentorship().day(60), "cora"))
    played.on(45, Add("a", "nils", "mentee", "", "cora")).silent("nils", "invitation").play(until=80)
    assert played.plan("invitation")[1] == "invitation 2 S+45..74 settled S+75"
    assert played.mail("invitation")["nils"] == ["request S+45", "reminder S+64", "reminder S+69"]


def test_so_does_an_agreement_that_opens_again() -> None:
    played = one_mentorship().says("ned", "midpoint", r_decide="unsure").silent("everyone", "agreement 2")
    played.on(86, Pause("e", one_mentorship().day(106), "cora")).decides("midpoint", "reopen_agreement", after=3)
    assert played.play(until=130).plan("agreement")[1] == "agreement 2 S+88..127 settled S+128"


def test_and_moves_with_it() -> None:
    played = one_mentorship("group").on(40, Pause("e", one_mentorship().day(60), "cora")).on(50, Resume("r", "cora"))
    played.on(45, Add("a", "nils", "mentee", "", "cora")).silent("nils", "invitation").play(until=80)
    assert played.plan("invitation")[1] == "invitation 2 S+45..64 settled S+65"
    endless = one_mentorship("group").on(40, Pause("e", None, "cora")).on(50, Resume("r", "cora"))
    endless.on(45, Add("a", "nils", "mentee", "", "cora")).silent("nils", "invitation").play(until=80)
    assert endless.plan("invitation")[1] == "invitation 2 S+45..64 settled S+65"


def test_in_a_pause_without_end_the_midpoint_that_was_ahead_is_ahead() -> None:
    def extended(until: int | None) -> list[int]:
        end = None if until is None else one_mentorship().day(until)
        played = (
            one_mentorship().on(80, Pause("p", end, "ned")).on(95, Extend("e", 8, "cora")).on(110, Resume("r", "ned"))
        )
        return dates(played.play())[1]

    assert extended(None) == extended(140) == [0, 149, 268]  # M = 84 + 4 weeks, and 30 days of pause
    older = one_mentorship(schema=1).on(80, Pause("p", None, "ned")).on(95, Extend("e", 8, "cora")).play(until=96)
    assert older.state.raw_midpoint == older.day(91)


def test_in_a_pause_without_end_a_new_end_that_was_ahead_is_not_past() -> None:
    played = (
        one_mentorship().on(170, Pause("p", None, "ned")).on(250, Extend("e", 2, "cora")).on(260, Resume("r", "ned"))
    )
    assert played.play().refused == []
    assert played.offset(played.state.end) == 182 + 14 + 90


def test_in_a_pause_without_end_a_coordinator_can_still_decide_to_wait() -> None:
    played = one_mentorship().says("ned", "invitation", accept=False)
    played.on(10, Pause("p", None, "cora")).on(60, wait_for_seat).on(80, Resume("r", "cora")).play(until=82)
    assert played.refused == []
    assert played.offset(played.state.seat_wait_until or START) == 87


def wait_for_seat(state: State) -> Event:
    return Decided("wait", state.tasks["seat_empty"].key, "wait", "cora")


def test_waiting_for_a_seat_is_paused_as_well() -> None:
    played = one_mentorship().silent("ned", "invitation").decides("seat_empty", "wait")
    played.on(-3, Pause("e", one_mentorship().day(7), "cora")).play(until=30)
    assert played.task_lines() == ["seat_empty S-6 due S-3 wait S-5", "seat_empty S+13 due S+16"]
    assert played.play().ending == ("never_started", "no_decision", 32)


# -- extend ------------------------------------------------------------------------------------------------------


def test_extended_before_the_midpoint_moves_both_midpoint_and_end() -> None:
    played = one_mentorship().on(20, Extend("e", 8, "cora")).play()
    assert dates(played) == (
        [
            "invitation 1 S-21..-7", "introduction 1 S+0", "agreement 1 S+0..21", "fit_check 1 S+14..21",
            "check_in 1 S+30..40", "check_in 2 S+60..70", "check_in 3 S+90..100", "midpoint 1 S+112..126",
            "check_in 4 S+150..160", "check_in 5 S+180..190", "winding_down 1 S+210", "check_in 6 S+210..220",
            "winding_down 2 S+224", "closure 1 S+235..259", "follow_up 1 S+420..441",
        ],
        [0, 119, 238],
    )  # fmt: skip
    assert played.ending == ("completed", "", 238)


def test_extended_after_the_midpoint_leaves_it_where_it_was() -> None:
    played = one_mentorship().on(125, Extend("e", 4, "cora")).play()
    assert dates(played)[1] == [0, 91, 210]
    assert played.opens("check_in") == [30, 60, 120, 150, 180]
    assert played.opens("winding_down") == [182, 196]


def test_the_midpoint_stays_once_its_form_is_out() -> None:
    played = one_mentorship().silent("ned", "midpoint").on(88, Extend("e", 8, "cora")).play()
    assert played.plan("midpoint") == ["midpoint 1 S+84..98 settled S+99"]
    assert dates(played)[1] == [0, 91, 238]
    assert played.opens("check_in") == [30, 60, 120, 150, 180, 210]


def test_one_week_is_enough() -> None:
    assert one_mentorship().on(125, Extend("e", 1, "cora")).play().ending == ("completed", "", 189)


def test_extended_twice_is_extended_by_the_sum() -> None:
    twice = one_mentorship().on(20, Extend("a", 3, "cora")).on(25, Extend("b", 5, "cora")).play()
    assert dates(twice) == dates(one_mentorship().on(20, Extend("a", 8, "cora")).play())


def test_a_check_in_that_was_left_out_is_not_made_up_for() -> None:
    # Every week: S+77 lies within 14 days of M. When M moves, that day is past.
    weekly = {"check_ins": {"every": 7, "closes": 3}, "midpoint": {"window": {"opens": "midpoint", "closes": 5}}}
    played = one_mentorship(phases=weekly).on(85, Extend("e", 8, "cora")).play()
    opens = played.opens("check_in")
    assert [at for at in opens if 70 < at < 105] == [91, 98]
    assert [step.number for step in played.state.steps if step.name == "check_in"] == list(range(1, len(opens) + 1))


def test_a_planned_check_in_that_the_new_midpoint_leaves_out_is_taken_off_the_record() -> None:
    played = one_mentorship(phases={"check_ins": {"every": 118}}).on(20, Extend("e", 4, "cora")).play()
    assert played.opens("check_in") == []
    records = [step for done in played.batches for step in done.steps if step.name == "check_in"]
    assert [record.state for record in records] == ["planned", "skipped"]


def test_extend_and_pause_together() -> None:
    one = one_mentorship().on(20, Extend("a", 8, "cora")).on(40, Pause("b", one_mentorship().day(50), "x")).play()
    other = (
        one_mentorship()
        .on(40, Pause("b", one_mentorship().day(50), "x"), hour=9)
        .on(45, Extend("a", 8, "cora"))
        .play()
    )
    assert dates(one) == dates(other)


# -- people ------------------------------------------------------------------------------------------------------


def test_replace_while_it_runs_invitation_introduction_agreement_and_the_plan_stays() -> None:
    played = one_mentorship().on(40, Replace("e", "ned", "nils", "Europe/Paris", "cora")).play()
    assert played.everything_told("nils")[:5] == [
        "S+40 request invitation 2",
        "S+41 notice introduction 2",
        "S+41 request agreement 2",
        "S+43 notice agreement_concluded 2",
        "S+60 request check_in 2",
    ]
    assert played.told("introduction")["mia"] == [0, 41]
    assert [line for line in played.everything_told("ned") if int(line.split()[0][1:]) >= 40] == []
    assert played.opens("check_in") == [30, 60, 120, 150]
    assert played.ending == ("completed", "", 182)


def test_what_is_open_about_somebody_who_is_replaced_is_asked_no_further() -> None:
    played = (
        one_mentorship()
        .silent("everyone", "check_in 1")
        .on(35, Replace("e", "ned", "nils", "", "cora"))
        .play(until=50)
    )
    assert played.plan("check_in")[0] == "check_in 1 S+30..40 skipped"
    ended = {(end.key, end.state) for done in played.batches for end in done.end_requests}
    assert {("c/m/check_in#1/mia", "withdrawn"), ("c/m/check_in#1/ned", "withdrawn")} <= ended


def test_a_newcomer_who_declines_or_stays_silent_leaves_the_seat_empty() -> None:
    declined = (
        one_mentorship().on(40, Replace("e", "ned", "nils", "", "cora")).says("nils", "invitation", accept=False)
    )
    assert declined.play(until=50).task_lines() == ["seat_empty S+41 due S+44"]
    silent = one_mentorship().on(40, Replace("e", "ned", "nils", "", "cora")).silent("nils", "invitation")
    assert silent.play().task_lines() == ["seat_empty S+55 due S+58 lapsed S+182"]
    assert silent.ending == ("completed", "", 182)


def test_a_member_joins_a_group_with_the_steps_that_are_ahead() -> None:
    played = one_mentorship("group").on(40, Add("e", "nils", "mentee", "", "cora")).play()
    assert played.everything_told("nils")[:4] == [
        "S+40 request invitation 2",
        "S+41 notice introduction 2",
        "S+42 request agreement 2",
        "S+43 receipt agreement_concluded 2",
    ]
    assert "nils" in played.step("check_in", 2).asked
    assert "nils" not in played.step("check_in", 1).asked
    assert played.step("closure").asked == ["mia", "ned", "noa", "nia", "nils"]


def test_an_open_agreement_starts_anew_with_whoever_joins() -> None:
    played = (
        one_mentorship("group")
        .silent("ned", "agreement 1")
        .on(5, Add("e", "nils", "mentee", "", "cora"))
        .play(until=40)
    )
    assert [line.split()[3] for line in played.plan("agreement")] == ["skipped", "settled"]
    assert played.state.agreement.concluded == 2


def test_a_member_removed_from_a_group_gets_no_further_mail() -> None:
    played = one_mentorship("group").on(40, Remove("e", "nia", "cora")).play()
    assert [line for line in played.everything_told("nia") if int(line.split()[0][1:]) >= 40] == []
    assert played.ending == ("completed", "", 182)


def test_leave_takes_effect_at_once_and_a_task_asks_about_the_rest() -> None:
    played = one_mentorship("group").on(40, Leave("e", "nia")).play(until=65)
    assert played.mail("partner_left") == {person: ["urgent S+40"] for person in ("mia", "ned", "noa")}
    assert {item.post.about for item in played.items if item.name == "partner_left"} == {"nia"}
    members = [(member.person, member.standing) for done in played.batches for member in done.members]
    assert members[-1] == ("nia", "out")
    assert played.task_lines() == ["withdrawn S+40 due S+44"]
    assert [line for line in played.everything_told("nia") if int(line.split()[0][1:]) >= 40] == []
    assert played.step("check_in", 2).asked == ["mia", "ned", "noa"]


def test_the_agreement_is_concluded_by_those_who_stay() -> None:
    played = one_mentorship("group").silent("nia", "agreement").on(10, Leave("e", "nia")).play(until=12)
    assert played.mail("agreement_concluded") == {person: ["notice S+10"] for person in ("mia", "ned", "noa")}


# -- smaller things ----------------------------------------------------------------------------------------------


def test_nudge_delivers_what_waits_for_an_answer_again() -> None:
    played = (
        one_mentorship()
        .silent("ned", "check_in 1")
        .silent("mia", "check_in 1")
        .on(35, Nudge("e", "cora"))
        .play(until=36)
    )
    [order] = [order for done in played.batches for order in done.redeliver]
    assert order.requests == ("c/m/check_in#1/mia", "c/m/check_in#1/ned")
    assert order.nth == 1
    assert played.noted("nudged") == [(35, "", "2")]


def test_nudge_with_nothing_open_delivers_nothing() -> None:
    played = one_mentorship().on(50, Nudge("e", "cora")).play(until=51)
    assert [order for done in played.batches for order in done.redeliver] == []
    assert played.noted("nudged") == [(50, "", "0")]


def test_a_change_leaves_a_line_with_who_asked_for_it() -> None:
    played = (
        one_mentorship()
        .on(40, Pause("e", one_mentorship().day(50), "cora"))
        .on(60, Extend("f", 2, "petra"))
        .play(until=70)
    )
    by = {note.name: note.by for _, note in played.notes}
    assert (by["paused"], by["extended"], by["resumed"], by["onboarded"]) == ("cora", "petra", "", "")


# -- refusals ----------------------------------------------------------------------------------------------------

IN_S40 = one_mentorship().day(40)

REFUSED: list[tuple[str, Event, str]] = [
    ("one_to_one", Pause("e", IN_S40, "x"), "a pause must end after today (2027-02-27); 2027-02-27 is not"),
    ("one_to_one", Pause("e", START, "x"), "a pause must end after today (2027-02-27); 2027-01-18 is not"),
    ("one_to_one", Pause("e", START.replace(year=2127), "x"),
     "2127-01-18 is more than ten years away; leave the date out for a pause without end"),
    ("one_to_one", Resume("e", "x"), "the mentorship is not paused; there is nothing to resume"),
    ("one_to_one", Extend("e", 0, "x"), "write how many weeks longer, 1 to 520"),
    ("one_to_one", Extend("e", -3, "x"), "write how many weeks longer, 1 to 520"),
    ("one_to_one", Extend("e", 521, "x"), "write how many weeks longer, 1 to 520"),
    ("one_to_one", End("e", "boredom", "x"),
     "'boredom' is no reason to end early; "
     "write one of no_fault, goals_reached, left, inactive, safeguarding, transferred"),
    ("one_to_one", Replace("e", "zoe", "nils", "", "x"),
     "zoe has no seat in this mentorship; those who have: mia, ned"),
    ("one_to_one", Replace("e", "ned", "mia", "", "x"),
     "mia has a seat in this mentorship already; name somebody else"),
    ("one_to_one", Replace("e", "ned", "nils", "Berlin", "x"),
     "'Berlin' is no zone; write one such as Europe/Berlin"),
    ("one_to_one", Add("e", "nils", "mentee", "", "x"),
     "a one_to_one mentorship takes no further member; use replace"),
    ("group", Add("e", "nils", "mentor", "", "x"), "the group has its mentor already; add a mentee, or use replace"),
    ("group", Add("e", "nils", "peer", "", "x"), "a group has a mentor and mentees, no peers; add a mentee"),
    ("group", Add("e", "ned", "mentee", "", "x"), "ned has a seat in this mentorship already; name somebody else"),
    ("one_to_one", Remove("e", "ned", "x"),
     "a one_to_one mentorship can't lose a member and go on; use replace or end"),
    ("group", Remove("e", "zoe", "x"), "zoe has no seat in this mentorship; those who have: mia, ned, noa, nia"),
    ("one_to_one", Leave("e", "zoe"), "zoe has no seat in this mentorship; those who have: mia, ned"),
    ("one_to_one", Release("e", "x"), "nothing is held; there is nothing to release"),
    ("one_to_one", Moved("e", "ned", "America"), "'America' is no zone; write one such as Europe/Berlin"),
    ("one_to_one", Decided("e", "c/m/task.fit#1", "noted", "x"),
     "this task is not open: somebody has decided it, or it lapsed"),
    ("one_to_one", Answered("e", "zoe", "check_in", 1, Signals(), one_mentorship().now),
     "this person takes no part in the mentorship; nobody waits for an answer"),
]  # fmt: skip


@pytest.mark.parametrize(("format_", "event", "reason"), REFUSED)
def test_what_makes_no_sense_is_refused_with_the_reason_and_changes_nothing(
    format_: str, event: Event, reason: str
) -> None:
    played = one_mentorship(format_).play(until=40)
    before = STATES.dump_json(played.state)
    played.turn(event)
    assert played.refused == [reason]
    assert STATES.dump_json(played.state) == before


ANYTHING: list[Event] = [
    Pause("e", one_mentorship().day(400), "x"), Resume("e", "x"), Extend("e", 2, "x"), End("e", "no_fault", "x"),
    Replace("e", "ned", "nils", "", "x"), Nudge("e", "x"), Cancel("e", "x"), Release("e", "x"),
]  # fmt: skip


@pytest.mark.parametrize("event", ANYTHING)
def test_a_closed_mentorship_is_final(event: Event) -> None:
    played = one_mentorship().play(until=185)
    played.turn(event)
    assert played.refused == ["the mentorship is closed (completed); its record is final"]


@pytest.mark.parametrize(
    "event",
    [
        Pause("e2", one_mentorship().day(400), "x"), Extend("e2", 2, "x"), End("e2", "left", "x"),
        Replace("e2", "ned", "nils", "", "x"),
    ],
)  # fmt: skip
def test_what_is_ending_early_is_not_changed_any_more(event: Event) -> None:
    played = one_mentorship().on(40, End("e1", "no_fault", "cora")).on(40, event, hour=13).play(until=41)
    assert played.refused == ["the mentorship is ending early already (no_fault); it closes by itself"]


def test_nobody_joins_once_the_closure_form_is_out() -> None:
    played = (
        one_mentorship().silent("ned", "closure").on(181, Replace("e", "ned", "nils", "", "cora")).play(until=182)
    )
    assert played.refused == ["the closure form is out already; extend the mentorship first"]


def test_a_paused_mentorship_is_not_nudged() -> None:
    played = (
        one_mentorship().on(40, Pause("a", one_mentorship().day(50), "x")).on(42, Nudge("b", "cora")).play(until=43)
    )
    assert played.refused == ["the mentorship is paused; resume it first"]


def test_whoever_left_does_not_come_back_under_the_same_id() -> None:
    played = (
        one_mentorship("group").on(40, Leave("a", "nia")).on(42, Add("b", "nia", "mentee", "", "cora")).play(until=43)
    )
    assert played.refused == [
        "nia has left this mentorship and can't come back under the same id; name somebody else"
    ]


# -- twice is once -----------------------------------------------------------------------------------------------

EVENTS: list[tuple[str, Event]] = [
    ("one_to_one", Pause("e", one_mentorship().day(50), "x")), ("one_to_one", Extend("e", 2, "x")),
    ("one_to_one", End("e", "no_fault", "x")), ("one_to_one", Replace("e", "ned", "nils", "", "x")),
    ("group", Add("e", "nils", "mentee", "", "x")), ("group", Remove("e", "nia", "x")), ("group", Leave("e", "nia")),
    ("one_to_one", Nudge("e", "x")), ("one_to_one", Cancel("e", "x")),
    ("one_to_one", Moved("e", "ned", "Asia/Tokyo")), ("one_to_one", Seen("e", "ned")),
    ("one_to_one", Bounced("e", "ned")),
    ("one_to_one", Answered("e", "ned", "check_in", 2, Signals(help=True), one_mentorship().now)),
]  # fmt: skip


@pytest.mark.parametrize(("format_", "event"), EVENTS)
def test_the_same_event_twice_is_one_event(format_: str, event: Event) -> None:
    played = one_mentorship(format_).play(until=40)
    played.turn(event)
    once, batches = STATES.dump_json(played.state), len(played.batches)
    played.turn(event)
    assert STATES.dump_json(played.state) == once
    assert len(played.batches) == batches
    assert played.refused == []


# -- dates never drift -------------------------------------------------------------------------------------------

pauses = st.lists(st.tuples(st.integers(1, 60), st.integers(1, 40), st.integers(1, 60)), max_size=5)
"""(days since the last pause was over, length, days after which it is resumed, if that is earlier)"""


@given(pauses)
def test_steps_lie_at_their_anchor_and_offset_with_all_pauses_added(spans: list[tuple[int, int, int]]) -> None:
    played = one_mentorship()
    real: list[tuple[int, int]] = []
    at = 0
    for since, length, resumed_after in spans:
        at += since
        played.on(at, Pause(f"pause {at}", played.day(at + length), "x"))
        if resumed_after < length:
            played.on(at + resumed_after, Resume(f"resume {at}", "x"))
        real.append((at, min(length, resumed_after)))
        at += min(length, resumed_after)
    played.play()

    def later(planned: int) -> int:
        # A pause begins at noon: the step of that very day has happened.
        for begins, length in real:
            planned += length if planned > begins else 0
        return planned

    assert played.ending == ("completed", "", later(182))
    assert played.opens("fit_check") == [later(14)]
    assert played.opens("check_in") == [later(day) for day in (30, 60, 120, 150)]
    assert played.opens("midpoint") == [later(84)]
    if all(begins < later(154) for begins, _ in real):
        assert played.opens("winding_down") == [later(154), later(168)]
    assert played.opens("closure") == [later(179)]
    assert [step.state for step in played.state.steps if step.state != "settled"] == []
