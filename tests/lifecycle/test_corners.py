"""Small functions of the core, each looked at by itself."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from lifecycle.batch import batch, silenced
from lifecycle.clock import Clock
from lifecycle.commands import Finish, Post, Refuse, Snapshot
from lifecycle.decisions import decide
from lifecycle.delivery.holds import Standstill
from lifecycle.delivery.letterbox import rule_of
from lifecycle.delivery.postbox import LOOK_AFTER, Delivery, ItemFacts, PersonFacts, logical_moment, look_at, sort_out
from lifecycle.events import Add, Answered, Corrected, Decided, Leave, Pause, Seen, cause_of
from lifecycle.findings import Signals
from lifecycle.keys import message_key
from lifecycle.pauses import as_begun
from lifecycle.rebuild import as_one_turn
from lifecycle.request_access import Access, access_of
from lifecycle.saved_state import load, save, unanswered_questions
from lifecycle.turn import Turn
from program.models import Letterbox
from testing.cohorts.one_mentorship import one_mentorship

NINE = datetime(2026, 3, 2, 8, tzinfo=UTC)
"""Monday, nine o'clock in Berlin."""
MONDAY = date(2026, 3, 2)
RULE = rule_of(Letterbox())


@pytest.mark.parametrize(
    ("ask", "state", "late", "paused", "over", "access"),
    [
        ("check_in", "open", False, False, False, "open"),
        ("check_in", "answered", False, False, False, "open"),
        ("check_in", "open", True, False, False, "late"),
        ("check_in", "open", True, True, False, "open"),
        ("check_in", "closed", False, True, False, "late"),
        ("check_in", "open", False, False, True, "over"),
        ("check_in", "withdrawn", False, False, True, "withdrawn"),
        ("agreement", "superseded", False, False, False, "superseded"),
        ("are_you_there", "closed", True, False, False, "open"),
        ("are_you_there", "open", False, False, True, "over"),
        ("follow_up", "open", False, False, True, "open"),
        ("follow_up", "closed", True, False, True, "over"),
    ],
)
def test_what_a_link_lets_its_holder_do(
    ask: str, state: str, late: bool, paused: bool, over: bool, access: Access
) -> None:
    now = NINE + timedelta(days=1 if late else -1)
    assert access_of(ask, state, NINE, now, paused=paused, over=over) == access


def test_a_clock_that_runs_fast() -> None:
    fast, real = Clock(NINE, 60.0), NINE + timedelta(minutes=2)
    assert fast.program(real) == NINE + timedelta(hours=2)
    assert fast.real(NINE + timedelta(hours=2)) == real
    assert fast.real_span(timedelta(hours=1)) == timedelta(minutes=1)
    assert Clock().program(real) == Clock().real(real) == real


def test_a_mail_has_one_key_and_another_for_a_corrected_address() -> None:
    assert message_key(["b", "a"]) == message_key(["a", "b"])
    assert len({message_key(["a"]), message_key(["a"], 1), message_key(["a"], 2)}) == 3


def test_receipts_are_looked_at_once_and_others_after_the_letterbox_has_opened() -> None:
    night = NINE - timedelta(hours=6)
    assert look_at(RULE, "Europe/Berlin", None, "receipt", MONDAY, night) == night
    assert look_at(RULE, "Europe/Berlin", None, "notice", MONDAY, night) == NINE + LOOK_AFTER
    assert look_at(RULE, "Europe/Berlin", MONDAY, "notice", MONDAY, NINE) == NINE + timedelta(days=1) + LOOK_AFTER


def test_a_receipt_that_the_engine_does_not_have_yet_waits_for_it() -> None:
    receipt = ItemFacts("k", "receipt", "x", MONDAY, NINE, RULE)
    found = sort_out(PersonFacts("ned", "Europe/Berlin"), [receipt], NINE - timedelta(minutes=1))
    assert found.later == [(receipt, NINE)]


def test_a_mail_bears_the_moment_at_which_it_became_due() -> None:
    item = ItemFacts("k", "notice", "get_going", MONDAY, NINE - timedelta(hours=1), RULE)
    assert logical_moment("Europe/Berlin", [item], NINE + timedelta(minutes=4)) == NINE


def test_questions_about_an_address_go_in_mails_of_their_own() -> None:
    names = ("address_old", "address_new", "x")
    old, new, receipt = (ItemFacts(name, "urgent", name, MONDAY, NINE, RULE) for name in names)
    notice = ItemFacts("n", "notice", "n", MONDAY, NINE, RULE)
    mails = Delivery(ordinary=[notice], fast=[old, receipt, new]).mails
    assert mails == [([receipt], True), ([old], True), ([new], True), ([notice], False)]


def test_a_change_is_the_cause_of_its_turn_and_an_answer_is_none() -> None:
    assert cause_of(Pause("p", None, "cora")) == "p"
    assert cause_of(Seen("s", "ned")) == cause_of(None) == ""


def test_what_is_refused_asks_nothing_of_the_world_and_a_cancelled_cohort_says_little() -> None:
    played = one_mentorship().play(until=1)
    post = Post("a", "ned", "notice", "get_going", 1, MONDAY)
    task = Post("t", "cora", "notice", "task_opened", 1, MONDAY, task="k")
    turn = batch(played.state, [Refuse("no"), post, task, Finish("completed", "", MONDAY)], played.now)
    assert silenced(turn).posts == [task]
    assert silenced(turn).finish is None
    cancelled = batch(played.state, [Finish("cancelled", "", MONDAY)], played.now)
    assert silenced(cancelled).finish == Finish("cancelled", "", MONDAY)


def test_a_standstill_of_a_snapshot() -> None:
    shot: Snapshot = one_mentorship().on(3, Pause("p", None, "ned")).play(until=4).batches[-1].snapshot
    assert Standstill.of(shot) == Standstill(paused=True)
    assert Standstill(held=True)
    assert not Standstill()


def test_a_state_is_told_as_one_turn_and_stays_as_it_is() -> None:
    played = one_mentorship().silent("everyone", "check_in 1").says("ned", "fit_check", f_fit=1).play(until=35)
    before = save(played.state)
    told = as_one_turn(played.state, played.now)
    assert save(played.state) == before
    assert {one.key for one in told.open_requests} == {f"c/m/check_in#1/{person}" for person in ("mia", "ned")}
    assert [task.kind for task in told.open_tasks] == ["fit"]
    assert told.finish is None
    over = one_mentorship().play(until=200)
    assert (as_one_turn(over.state, over.now).finish or Finish("", "", MONDAY)).ending == "completed"
    drafting = one_mentorship().silent("everyone", "agreement").play(until=5)
    assert [one.key for one in as_one_turn(drafting.state, drafting.now).open_requests] == ["c/m/agreement#1/ned"]


def test_a_saved_state_is_the_state_and_asks_again_what_was_not_answered() -> None:
    played = one_mentorship().play(until=35)
    assert save(load(save(played.state))) == save(played.state)
    assert unanswered_questions(played.state, played.now) == []
    step = played.step("check_in")
    step.assessing, asked_at = True, step.assessed_at
    [again] = unanswered_questions(played.state, played.now + timedelta(days=1))
    assert getattr(again, "closed_at", None) == asked_at


def test_without_a_planned_pause_nothing_begins() -> None:
    state = one_mentorship().play(until=3).state
    assert as_begun(state) == state


def test_a_planned_pause_begins_after_one_that_is_over_by_then() -> None:
    played = one_mentorship().on(3, Pause("p", one_mentorship().day(6), "ned"))
    played.on(4, Pause("q", one_mentorship().day(20), "ned", begins=one_mentorship().day(10))).play(until=5)
    begun = as_begun(played.state)
    assert [(pause.on, pause.days) for pause in begun.pauses] == [(played.day(3), 3), (played.day(10), 10)]


def test_a_pause_without_end_and_without_reminders() -> None:
    played = one_mentorship(rules={"open_pause_reminder": 0}).on(3, Pause("p", None, "ned")).play(until=60)
    assert played.told("still_paused") == {}


def test_an_address_that_is_corrected_where_no_task_waits_for_it() -> None:
    played = one_mentorship().on(3, Corrected("c", "ned", "cora")).play(until=4)
    assert played.noted("corrected") == [(3, "ned", "")]


def test_an_answer_to_an_invitation_that_neither_accepts_nor_declines_changes_nothing() -> None:
    nothing = Answered("n", "ned", "invitation", 1, Signals(), NINE)
    played = one_mentorship().silent("ned", "invitation").on(-10, nothing).play(until=-9)
    assert [seat.standing for seat in played.state.members] == ["accepted", "invited"]


def test_an_invitation_that_is_accepted_when_the_closure_form_is_out_seats_nobody() -> None:
    played = one_mentorship("group").silent("new", "invitation")
    played.on(178, Add("a", "new", "mentee", "", "cora"))
    played.on(180, Answered("yes", "new", "invitation", 2, Signals(accepted=True), NINE)).play(until=181)
    assert [seat.standing for seat in played.state.members if seat.person == "new"] == ["invited"]


def test_a_pause_after_everybody_has_filled_in_the_closure_form_moves_the_farewell() -> None:
    played = one_mentorship().on(181, Pause("p", one_mentorship().day(191), "ned")).play()
    assert played.told("farewell") == {"mia": [192], "ned": [192]}
    assert len(played.told("closure")["ned"]) == 1


def test_somebody_who_joins_before_the_introduction_is_introduced_with_the_others() -> None:
    phases = {"expectations": {"introduction": "start + 5d"}}
    played = one_mentorship("group", phases=phases).on(1, Add("a", "new", "mentee", "", "cora")).play(until=6)
    assert played.told("introduction") == {who: [5] for who in ("mia", "ned", "noa", "nia", "new")}


def test_a_decision_of_a_task_that_is_gone_does_nothing() -> None:
    turn = Turn(one_mentorship().play(until=1).state, NINE)
    decide(turn, Decided("d", "c/m/task.help#1", "noted", "cora"))
    assert turn.commands == []


def test_leaving_does_not_touch_what_only_others_were_asked() -> None:
    played = one_mentorship("group").silent("new", "invitation").on(5, Add("a", "new", "mentee", "", "cora"))
    played.on(6, Leave("l", "noa")).play(until=7)
    assert played.step("invitation", 2).asked == ["new"]
