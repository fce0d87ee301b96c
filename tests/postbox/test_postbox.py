"""What leaves a person's postbox at one moment; what is dropped, held and kept for later (lifecycle 2.5 to 2.9)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from lifecycle.delivery.letterbox import rule_of
from lifecycle.delivery.notices import NoticeFacts
from lifecycle.delivery.postbox import (
    ANOTHER_FOLLOWS,
    Delivery,
    DropReason,
    ItemFacts,
    MentorshipFacts,
    PersonFacts,
    RequestFacts,
    record,
    sort_out,
)
from program.models import Letterbox

RULE = rule_of(Letterbox())
MONDAY = date(2026, 3, 2)
NINE = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
"""Monday, nine o'clock in Berlin."""
NIGHT = NINE - timedelta(hours=6)
ELEVEN = NINE + timedelta(hours=2)
DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)


AWAY = {"absences": ((MONDAY - 3 * DAY, MONDAY + DAY),)}
"""Until Tuesday."""


def person(**facts: Any) -> PersonFacts:
    return PersonFacts("ada", "Europe/Berlin", **facts)


def request(key: str = "check_in#1", **facts: Any) -> RequestFacts:
    return RequestFacts(key, **({"state": "open", "closes_at": NINE + 10 * DAY} | facts))


def waiting(kind: Any = "notice", name: str = "introduction", **facts: Any) -> ItemFacts:
    usual: dict[str, Any] = {
        "key": f"{facts['request'].key if facts.get('request') else name}/{kind}",
        "date": MONDAY,
        "queued_at": NIGHT,
        "rule": RULE,
        "mentorship": MentorshipFacts(),
    }
    return ItemFacts(kind=kind, name=name, **(usual | facts))


def names(items: list[ItemFacts]) -> list[str]:
    return [item.key for item in items]


def reasons(delivery: Delivery) -> dict[str, str]:
    return {item.key: reason.value for item, reason in delivery.dropped}


# -- when ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("item", "last_mail_on", "now", "goes", "next_at"),
    [
        pytest.param({}, None, NINE, True, None, id="open, first mail of the day"),
        pytest.param({}, None, NIGHT, False, NINE, id="closed: at nine"),
        pytest.param({}, MONDAY, NINE + timedelta(hours=1), False, NINE + DAY, id="had mail today: tomorrow"),
        pytest.param({}, MONDAY - DAY, NINE, True, None, id="had mail yesterday"),
        pytest.param({"date": MONDAY + DAY}, None, NINE, False, NINE + DAY, id="its date has not begun"),
        pytest.param(
            {"queued_at": NINE + timedelta(hours=2)}, None, NINE, False, NINE + timedelta(hours=2), id="not here"
        ),
        pytest.param({"date": MONDAY - 30 * DAY}, None, NINE, True, None, id="late, and still true"),
        pytest.param({"kind": "receipt"}, MONDAY, NIGHT, True, None, id="receipt: at once, whatever the hour"),
        pytest.param({"kind": "urgent"}, MONDAY, NIGHT, True, None, id="urgent: at once, whatever the hour"),
    ],
)
def test_an_item_goes_at_the_earliest_moment_that_the_four_conditions_allow(
    item: dict[str, Any], last_mail_on: date | None, now: datetime, goes: bool, next_at: datetime | None
) -> None:
    found = sort_out(person(last_mail_on=last_mail_on), [waiting(**item)], now)
    assert bool(found.ordinary or found.fast) is goes
    assert found.next_at == next_at


def test_what_waits_goes_out_together_oldest_first() -> None:
    items = [
        waiting(name="c", date=MONDAY, queued_at=NIGHT),
        waiting(name="b", date=MONDAY - DAY, queued_at=NIGHT),
        waiting(name="d", date=MONDAY, queued_at=NIGHT),
        waiting(name="a", date=MONDAY - DAY, queued_at=NIGHT - DAY),
        waiting(name="tomorrow", date=MONDAY + DAY),
    ]
    found = sort_out(person(), items, NINE)
    assert [item.name for item in found.ordinary] == ["a", "b", "c", "d"]
    # The day's mail is used up by what goes now.
    assert found.later == [(items[-1], NINE + DAY)]


def test_receipts_and_urgent_items_go_in_one_mail_beside_the_days_mail() -> None:
    items = [waiting("urgent"), waiting("receipt"), waiting("notice")]
    found = sort_out(person(), items, NINE)
    assert names(found.fast) == ["introduction/receipt", "introduction/urgent"]
    assert names(found.ordinary) == ["introduction/notice"]


def test_a_fast_mail_does_not_use_up_the_days_mail() -> None:
    ada = person()
    record(ada, sort_out(ada, [waiting("receipt")], NINE), NINE)
    assert sort_out(ada, [waiting()], NINE + timedelta(hours=1)).ordinary


def test_each_cohort_has_its_own_holidays() -> None:
    holiday = rule_of(Letterbox(), [MONDAY])
    items = [waiting(name="here"), waiting(name="there", rule=holiday)]
    found = sort_out(person(), items, NINE)
    assert names(found.ordinary) == ["here/notice"]
    assert found.next_at == NINE + DAY


# -- what is dropped, and why --------------------------------------------------------------------------------------

DECIDED = NoticeFacts(task_open=False)
ALIVE = NoticeFacts(last_life=NINE)
OVER, PAUSED, HELD = MentorshipFacts(over=True), MentorshipFacts(paused=True), MentorshipFacts(held=True)


@pytest.mark.parametrize(
    ("who", "item", "reason"),
    [
        ({}, {"kind": "request", "request": request(state="answered")}, "answered"),
        ({}, {"kind": "reminder", "request": request(state="answered")}, "answered"),
        ({}, {"kind": "notice", "name": "are_you_there", "request": request(state="answered")}, "answered"),
        ({}, {"kind": "notice", "name": "task_opened", "mentorship": None, "facts": DECIDED}, "untrue"),
        ({}, {"kind": "urgent", "name": "task_opened", "mentorship": None, "facts": DECIDED}, "untrue"),
        ({"standing": "erased"}, {"name": "task_opened", "mentorship": None, "facts": DECIDED}, "erased"),
        ({}, {"name": "are_you_there", "facts": ALIVE, "request": request()}, "untrue"),
        ({}, {"name": "are_you_there", "facts": ALIVE, "request": request(closes_at=NINE)}, "window_closed"),
        ({}, {"kind": "request", "request": request(closes_at=NINE)}, "window_closed"),
        ({}, {"kind": "request", "request": request(state="closed")}, "window_closed"),
        ({}, {"kind": "request", "request": request(state="withdrawn")}, "window_closed"),
        ({}, {"kind": "request", "request": request(state="superseded")}, "window_closed"),
        ({}, {"kind": "reminder", "request": request(), "mentorship": PAUSED}, "paused"),
        ({}, {"kind": "notice", "mentorship": OVER}, "over"),
        ({}, {"kind": "urgent", "mentorship": OVER}, "over"),
        ({}, {"kind": "request", "request": request(state="withdrawn"), "mentorship": OVER}, "over"),
        ({"reminders_stopped": True}, {"kind": "reminder", "request": request()}, "reminders_stopped"),
        ({"standing": "left"}, {"kind": "notice"}, "left"),
        ({"standing": "left"}, {"kind": "receipt"}, "left"),
        ({}, {"kind": "notice", "out": True}, "left"),
        ({}, {"kind": "request", "request": request(state="withdrawn"), "out": True}, "left"),
        ({"standing": "erased"}, {"kind": "urgent"}, "erased"),
        ({"standing": "bounced"}, {"kind": "notice"}, "bounced"),
        ({"standing": "bounced"}, {"kind": "notice", "name": "task_opened", "mentorship": None}, "bounced"),
        ({}, {"kind": "reminder", "request": request(mails=1, last_mail_on=MONDAY)}, "too_soon"),
        ({}, {"kind": "reminder", "request": request(mails=1, last_mail_on=MONDAY - DAY)}, "too_soon"),
        ({}, {"kind": "reminder", "request": request(mails=3, last_mail_on=MONDAY - 5 * DAY)}, "limit"),
        ({}, {"kind": "request", "request": request(mails=3, last_mail_on=MONDAY - 5 * DAY)}, "limit"),
        (AWAY, {"kind": "reminder", "request": request(), "about": ANOTHER_FOLLOWS}, "away"),
        (AWAY, {"kind": "reminder", "request": request(closes_at=NINE + 2 * DAY)}, "away"),
        (AWAY, {"kind": "reminder", "request": request(mails=3, last_mail_on=MONDAY - 5 * DAY)}, "limit"),
        (AWAY, {"kind": "reminder", "request": request(mails=1, last_mail_on=MONDAY)}, "too_soon"),
    ],
)  # fmt: skip
def test_an_item_that_is_no_longer_true_is_dropped_with_its_reason(
    who: dict[str, Any], item: dict[str, Any], reason: str
) -> None:
    untrue = waiting(**item)
    assert sort_out(person(**who), [untrue], NINE) == Delivery(dropped=[(untrue, DropReason(reason))])


@pytest.mark.parametrize(
    ("who", "item"),
    [
        (
            {},
            {"kind": "request", "request": request(closes_at=NINE + SECOND), "date": MONDAY - 9 * DAY},
        ),
        ({"reminders_stopped": True}, {"kind": "request", "request": request()}),
        ({}, {"kind": "reminder", "request": request(mails=1, last_mail_on=MONDAY - 2 * DAY)}),
        ({}, {"kind": "reminder", "request": request(mails=2, last_mail_on=MONDAY - 2 * DAY)}),
        ({}, {"kind": "notice", "name": "farewell", "mentorship": OVER, "after_end": True}),
        ({}, {"kind": "request", "request": request(), "mentorship": OVER, "after_end": True}),
        ({}, {"kind": "receipt", "name": "agreement_reopened", "request": request(state="answered")}),
        ({"standing": "left"}, {"kind": "notice", "name": "task_opened", "mentorship": None}),
        ({}, {"kind": "receipt", "name": "safety_received", "mentorship": HELD}),
        ({}, {"kind": "receipt", "name": "safety_received", "mentorship": PAUSED}),
        ({}, {"kind": "urgent", "name": "partner_paused", "mentorship": PAUSED}),
    ],
)
def test_what_is_still_true_goes(who: dict[str, Any], item: dict[str, Any]) -> None:
    found = sort_out(person(**who), [waiting(**item)], NINE)
    assert found.ordinary or found.fast


@pytest.mark.parametrize(
    "item",
    [
        {"mentorship": PAUSED},
        {"mentorship": PAUSED, "kind": "request", "request": request(closes_at=NINE - DAY)},
        {"mentorship": PAUSED, "kind": "urgent"},
        {"mentorship": HELD},
        {"mentorship": HELD, "kind": "reminder", "request": request()},
        {"mentorship": HELD, "kind": "urgent", "name": "partner_left"},
        {"mentorship": replace(OVER, held=True), "name": "farewell", "after_end": True},
        {"mentorship": HELD, "name": "get_going", "facts": NoticeFacts(ending=True)},
        {"mentorship": HELD, "kind": "urgent", "name": "partner_paused"},
        {"mentorship": HELD, "kind": "receipt", "name": "agreement_concluded"},
    ],
)
def test_a_pause_and_a_safety_report_hold_what_is_for_the_pair(item: dict[str, Any]) -> None:
    held = waiting(**item)
    assert sort_out(person(), [held], NINE) == Delivery(held=[held])


# -- requests and what reminds of them -----------------------------------------------------------------------------


def test_a_reminder_never_goes_in_the_same_mail_as_what_it_reminds_of() -> None:
    its = request()
    items = [waiting("reminder", date=MONDAY - DAY, request=its), waiting("request", request=its)]
    found = sort_out(person(), items, NINE)
    assert names(found.ordinary) == ["check_in#1/request"]
    assert reasons(found) == {"check_in#1/reminder": "too_soon"}


def test_two_reminders_of_one_request_are_one() -> None:
    its = request(mails=1, last_mail_on=MONDAY - 9 * DAY)
    items = [waiting("reminder", key="first", request=its), waiting("reminder", key="second", request=its)]
    found = sort_out(person(), items, NINE)
    assert names(found.ordinary) == ["first"]
    assert reasons(found) == {"second": "too_soon"}


def test_a_receipt_that_carries_the_request_makes_a_reminder_too_soon() -> None:
    its = request(mails=1, last_mail_on=MONDAY - 9 * DAY)
    items = [waiting("receipt", request=its), waiting("reminder", request=its)]
    assert reasons(sort_out(person(), items, NINE)) == {"check_in#1/reminder": "too_soon"}


def test_after_an_outage_everything_comes_as_one_mail() -> None:
    ada = person()
    check_in, closure = request("check_in#4"), request("closure#1")
    items = [
        waiting("notice", "winding_down", date=MONDAY - 3 * DAY),
        waiting("request", request=check_in, date=MONDAY - 2 * DAY),
        waiting("request", request=closure, date=MONDAY - DAY),
        waiting("reminder", request=check_in, date=MONDAY),
        waiting("notice", "get_going", date=MONDAY),
    ]
    found = sort_out(ada, items, NINE)
    record(ada, found, NINE)
    assert names(found.ordinary) == [
        "winding_down/notice", "check_in#4/request", "closure#1/request", "get_going/notice",
    ]  # fmt: skip
    assert reasons(found) == {"check_in#4/reminder": "too_soon"}
    assert (check_in.mails, check_in.last_mail_on, ada.last_mail_on) == (1, MONDAY, MONDAY)


def test_three_mails_carry_a_request_and_then_no_more() -> None:
    ada, its = person(), request(closes_at=NINE + 60 * DAY)
    sent: list[str] = []
    for week, kind in enumerate(["request", "reminder", "request", "reminder", "request"]):
        now = NINE + 7 * week * DAY
        found = sort_out(ada, [waiting(kind, key=f"{week}", request=its, date=MONDAY)], now)
        record(ada, found, now)
        sent += names(found.ordinary)
    assert sent == ["0", "1", "2"]
    assert its.mails == 3


# -- absences ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("absences", "back"),
    [
        # From the first day to the last, both included.
        ([(MONDAY, MONDAY)], MONDAY + DAY),
        ([(MONDAY - 9 * DAY, MONDAY)], MONDAY + DAY),
        ([(MONDAY, MONDAY + DAY), (MONDAY + 2 * DAY, MONDAY + 3 * DAY)], MONDAY + 4 * DAY),
        # Back on a Saturday: on Monday, where that is no day of another absence.
        ([(MONDAY, MONDAY + 4 * DAY)], MONDAY + 7 * DAY),
        ([(MONDAY, MONDAY + 4 * DAY), (MONDAY + 7 * DAY, MONDAY + 7 * DAY)], MONDAY + 8 * DAY),
        ([(MONDAY - DAY, MONDAY - DAY)], MONDAY),
        ([(MONDAY + DAY, MONDAY + DAY)], MONDAY),
    ],
)
def test_the_last_reminder_waits_until_its_person_is_back(absences: list[tuple[date, date]], back: date) -> None:
    reminder = waiting("reminder", request=request())
    found = sort_out(person(absences=tuple(absences)), [reminder], NINE)
    if back == MONDAY:
        assert found == Delivery(ordinary=[reminder])
    else:
        assert found == Delivery(later=[(reminder, NINE + (back - MONDAY))])


def test_whoever_is_away_gets_everything_but_reminders() -> None:
    items = [
        waiting("notice"), waiting("request", "check_in", request=request("check_in#2")),
        waiting("receipt", "safety_received"), waiting("reminder", "check_in", request=request()),
    ]  # fmt: skip
    found = sort_out(person(**AWAY), items, NINE)
    assert [item.kind for item in (*found.fast, *found.ordinary)] == ["receipt", "notice", "request"]
    assert [item.kind for item, _ in found.later] == ["reminder"]


def test_a_day_of_absence_is_a_day_where_the_person_lives() -> None:
    away = PersonFacts("ada", "Pacific/Auckland", absences=((MONDAY + DAY, MONDAY + DAY),))
    reminder = waiting("reminder", request=request())
    monday_in_auckland = datetime(2026, 3, 1, 21, 0, tzinfo=UTC)
    early = waiting("reminder", request=request(), queued_at=NIGHT - DAY)
    assert sort_out(away, [early], monday_in_auckland).ordinary
    tuesday_in_auckland = datetime(2026, 3, 2, 21, 0, tzinfo=UTC)
    assert sort_out(away, [reminder], tuesday_in_auckland).ordinary == []


def test_a_reminder_that_waits_for_the_next_day_waits_for_the_day_on_which_they_are_back() -> None:
    reminder = waiting("reminder", request=request())
    away = person(last_mail_on=MONDAY, absences=((MONDAY + DAY, MONDAY + DAY),))
    assert sort_out(away, [reminder], NINE).later == [(reminder, NINE + 2 * DAY)]


def test_one_that_is_still_to_come_is_looked_at_when_it_comes() -> None:
    reminder = waiting("reminder", request=request(), date=MONDAY + DAY)
    assert sort_out(person(**AWAY), [reminder], NINE).later == [(reminder, NINE + DAY)]
