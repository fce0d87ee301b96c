"""What reaches people, and when: real database, real SMTP server (lifecycle 2)."""

from __future__ import annotations

import asyncio
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import update

from activities.delivery.deliver import PostOffice
from activities.delivery.delivery_settings import RateLimiter
from activities.messages import DeliverInput, DeliverResult
from lifecycle.delivery.postbox import ANOTHER_FOLLOWS, LOOK_AFTER
from mail.compose import compose
from mail.letters import Letter, WordedMail
from store.database import Database
from store.delivery import due
from store.people import absences
from store.people.absences import AbsenceForm
from store.shards import shards_to_wake
from store.tables import MembershipRow, MessageRow, RequestRow
from testing.cohorts.small_cohort import COHORT, GROUP, PAIR, item
from testing.environments.delivery_env import (
    DAY,
    HOUR,
    LINKS,
    MINUTE,
    MONDAY,
    NINE,
    NINE_IN_NEW_YORK,
    DeliveryEnv,
    about,
    check_in,
    post_office,
)
from testing.servers.sink import ACCEPT, DROP

ADA, BEN = "ada@example.org", "ben@example.org"
TUESDAY = MONDAY + timedelta(days=1)


async def test_each_gets_the_mail_when_their_own_letterbox_opens(delivery_env: DeliveryEnv) -> None:
    await delivery_env.post(item("ada"), item("ben"))

    early = await delivery_env.deliver(NINE - MINUTE)
    assert (early.sent, early.next_at) == (0, NINE)
    at_nine = await delivery_env.deliver(NINE)
    assert (at_nine.sent, at_nine.next_at, at_nine.trouble) == (1, NINE_IN_NEW_YORK, "")
    assert [one.recipient for one in delivery_env.sink.received] == [ADA]
    assert await delivery_env.wakes_at() == NINE_IN_NEW_YORK
    in_new_york = await delivery_env.deliver(NINE_IN_NEW_YORK)
    assert (in_new_york.sent, in_new_york.next_at) == (1, None)
    assert [one.recipient for one in delivery_env.sink.received] == [ADA, BEN]
    assert await delivery_env.wakes_at() is None


async def test_what_is_written_down_of_a_mail(delivery_env: DeliveryEnv) -> None:
    await delivery_env.post(item("ada"))
    await delivery_env.deliver(NINE)

    assert await delivery_env.items() == {"check_in#1/ada/request": "sent"}
    [message] = await delivery_env.rows(MessageRow)
    assert (message.state, message.fast, message.attempts, message.next_try_at) == ("sent", False, 1, None)
    assert (message.at, message.sent_at, message.local_date, message.error) == (NINE - LOOK_AFTER, NINE, MONDAY, "")
    [received] = delivery_env.sink.received
    assert message.raw.encode() == received.raw
    assert f"<{message.id}" not in received.id  # the id that the envelope carries is not shown to everybody
    request = await delivery_env.request("ada")
    assert (request.mails, request.last_mail_on) == (1, MONDAY)
    assert (await delivery_env.person("ada")).last_mail_on == MONDAY


async def test_the_link_in_the_mail_opens_the_form_of_this_person(delivery_env: DeliveryEnv) -> None:
    await delivery_env.post(item("ada"))
    await delivery_env.deliver(NINE)
    [received] = delivery_env.sink.received
    request = await delivery_env.request("ada")
    assert LINKS.request_url(request.public_id, request.generation) in received.text
    assert received.message["List-Unsubscribe"] == f"<{LINKS.stop_url('ada', 1)}>"


async def test_a_second_round_sends_nothing_again(delivery_env: DeliveryEnv) -> None:
    await delivery_env.post(item("ada"), about("transferred", "ada"))
    await delivery_env.deliver(NINE)
    again = await delivery_env.deliver(NINE)
    assert (again.sent, again.dropped, again.next_at) == (0, 0, None)
    assert len(delivery_env.sink.received) == 1


async def test_nobody_gets_two_mails_a_day_and_what_waits_comes_together(delivery_env: DeliveryEnv) -> None:
    await delivery_env.post(item("ada"))
    await delivery_env.deliver(NINE)
    await delivery_env.post(about("transferred", "ada"), about("winding_down", "ada"), now=NINE + HOUR)
    assert (await delivery_env.deliver(NINE + 2 * HOUR)).next_at == NINE + DAY
    await delivery_env.deliver(NINE + DAY)
    assert len(delivery_env.sink.received) == 2
    assert list((await delivery_env.items()).values()) == ["sent"] * 3


async def test_receipts_and_urgent_items_go_at_once_beside_the_days_mail(delivery_env: DeliveryEnv) -> None:
    night = NINE - 5 * HOUR
    await delivery_env.post(
        about("safety_received", "ada", "receipt"), about("cancelled", "ada", "urgent"), item("ada")
    )
    at_night = await delivery_env.deliver(night)
    assert (at_night.sent, at_night.next_at) == (1, NINE)
    await delivery_env.deliver(NINE)
    assert len(delivery_env.sink.received) == 2
    assert [row.fast for row in sorted(await delivery_env.rows(MessageRow), key=lambda row: row.at)] == [True, False]
    assert (await delivery_env.person("ada")).last_mail_on == MONDAY


async def test_an_outage_of_three_days_is_one_mail_for_each(delivery_env: DeliveryEnv) -> None:
    await delivery_env.post(item("ada"))
    await delivery_env.post(about("transferred", "ada", on=TUESDAY), now=NINE + DAY)
    reminder = item("ada", "reminder", 1, date=date(2026, 3, 5))
    await delivery_env.post(reminder, about("winding_down", "ada", on=date(2026, 3, 4)), now=NINE + 2 * DAY)
    result = await delivery_env.deliver(NINE + 3 * DAY)
    assert (result.sent, result.dropped) == (1, 1)
    assert await delivery_env.items() == {
        "check_in#1/ada/request": "sent",
        "check_in#1/ada/reminder.1": "dropped too_soon",
        "transferred#1/ada/notice": "sent",
        "winding_down#1/ada/notice": "sent",
    }
    assert await delivery_env.events("dropped") == [("ada", f"{reminder.key} too_soon")]
    [received] = delivery_env.sink.received
    assert "3 things for you" in received.text


async def test_what_fell_due_in_an_outage_and_what_waited_before_come_in_one_mail(delivery_env: DeliveryEnv) -> None:
    back = NINE + 3 * DAY
    await delivery_env.post(item("ada"), about("cancelled", "ada", "urgent"), next_at=NINE + 2 * DAY)
    first = await delivery_env.deliver(back)  # before the mentorship has had its turn
    assert (first.sent, first.next_at) == (1, back + LOOK_AFTER)
    await delivery_env.post(about("transferred", "ada"), now=back + LOOK_AFTER / 2, next_at=NINE + 9 * DAY)
    [later] = await delivery_env.deliver_until_done(back + LOOK_AFTER)
    assert later.sent == 1
    urgent, ordinary = delivery_env.sink.received
    assert "2 things for you" in ordinary.text
    assert "2 things for you" not in urgent.text


async def test_nobody_waits_long_for_a_mentorship_that_is_stuck(delivery_env: DeliveryEnv) -> None:
    back = NINE + 3 * DAY
    await delivery_env.post(item("ada"), next_at=NINE + 2 * DAY)
    sent = [(await delivery_env.deliver(back + n * MINUTE)).sent for n in range(12)]
    assert sent == [0] * 10 + [1, 0]


@pytest.mark.parametrize(
    ("friday", "monday"),
    [
        pytest.param(datetime(2026, 3, 27, 8, 0), datetime(2026, 3, 30, 7, 0), id="clocks go forward"),  # noqa: DTZ001
        pytest.param(datetime(2026, 10, 23, 7, 0), datetime(2026, 10, 26, 8, 0), id="clocks go back"),  # noqa: DTZ001
    ],
)
async def test_nine_oclock_is_nine_oclock_when_clocks_change(
    delivery_env: DeliveryEnv, friday: Any, monday: Any
) -> None:
    friday, monday = friday.replace(tzinfo=NINE.tzinfo), monday.replace(tzinfo=NINE.tzinfo)
    await delivery_env.post(about("transferred", "ada", on=friday.date()), now=friday - 5 * HOUR, next_at=None)
    await delivery_env.deliver(friday + LOOK_AFTER)
    later = friday + 2 * HOUR
    await delivery_env.post(about("winding_down", "ada", on=friday.date()), now=later, next_at=None)
    assert (await delivery_env.deliver(later)).next_at == monday + LOOK_AFTER
    assert (await delivery_env.deliver(monday + LOOK_AFTER)).sent == 1


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"state": "answered"}, "answered"),
        ({"state": "closed"}, "window_closed"),
        ({"closes_at": NINE}, "window_closed"),
        ({"mails": 3}, "limit"),
    ],
)
async def test_an_item_is_checked_again_when_it_is_delivered(
    delivery_env: DeliveryEnv, change: dict[str, Any], reason: str
) -> None:
    await delivery_env.post(item("ada"))
    async with delivery_env.database.begin() as session:
        await session.execute(update(RequestRow).where(RequestRow.key == check_in("ada")).values(**change))
    result = await delivery_env.deliver(NINE)
    assert (result.sent, result.dropped) == (0, 1)
    assert await delivery_env.items() == {"check_in#1/ada/request": f"dropped {reason}"}
    assert delivery_env.sink.received == []
    assert (await delivery_env.person("ada")).last_mail_on is None


@pytest.mark.parametrize("standing", ["left", "erased"])
async def test_whoever_is_gone_gets_nothing(delivery_env: DeliveryEnv, standing: str) -> None:
    await delivery_env.post(item("ada"), about("cancelled", "ada", "urgent"))
    await delivery_env.change("ada", standing=standing)
    await delivery_env.deliver(NINE)
    assert set((await delivery_env.items()).values()) == {f"dropped {standing}"}


async def test_whoever_is_out_of_one_mentorship_still_gets_the_mail_of_another(delivery_env: DeliveryEnv) -> None:
    await delivery_env.post(about("transferred", "ben"))
    in_group = item("ben", "notice", key=f"{COHORT}/{GROUP.key}/transferred#1/ben/notice", name="transferred")
    await delivery_env.post(in_group, mentorship=GROUP.key)
    async with delivery_env.database.begin() as session:
        of_ben = (MembershipRow.person == "ben", MembershipRow.mentorship == PAIR.key)
        await session.execute(update(MembershipRow).where(*of_ben).values(standing="out"))
    await delivery_env.deliver(NINE_IN_NEW_YORK)
    assert list((await delivery_env.items()).values()) == ["dropped left", "sent"]


async def test_a_pause_holds_and_its_end_lets_go(delivery_env: DeliveryEnv) -> None:
    await delivery_env.post(about("transferred", "ada"), item("ada"))
    await delivery_env.turn(NINE - 2 * HOUR, paused_until="2026-03-04")
    assert (await delivery_env.deliver(NINE)).next_at is None
    await delivery_env.turn(NINE + 2 * DAY - 9 * HOUR, paused_until="")
    await delivery_env.deliver(NINE + 2 * DAY)
    assert len(delivery_env.sink.received) == 1


async def test_everyone_in_two_pages_and_rounds(delivery_env: DeliveryEnv, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("activities.delivery.delivery_round.PAGE", 2)
    small = post_office(delivery_env.database, delivery_env.post_office._office.transport, people_per_round=3)
    delivery_env.post_office = small
    for person in ("ada", "cleo", "dan"):
        await delivery_env.post(about("safety_received", person, "receipt"))
    await delivery_env.post(about("safety_received", "ben", "receipt"))
    first, second = await delivery_env.deliver_until_done(NINE)
    assert (first.sent, second.sent, second.next_at) == (3, 1, None)
    assert len({one.recipient for one in delivery_env.sink.received}) == 4


async def test_whoever_waits_for_something_urgent_comes_first(delivery_env: DeliveryEnv) -> None:
    await delivery_env.post(about("transferred", "ada"), about("transferred", "cleo"))
    await delivery_env.post(about("cancelled", "dan", "urgent"), now=NINE - MINUTE)
    delivery_env.post_office = post_office(
        delivery_env.database, delivery_env.post_office._office.transport, people_per_round=1
    )
    await delivery_env.deliver(NINE)
    assert [one.recipient for one in delivery_env.sink.received] == ["dan@example.org"]


# -- wording that fails --------------------------------------------------------------------------------------------


def poisoned(letter: Letter) -> WordedMail:
    """The templates, one of them broken."""
    if any(item.name == "transferred" for item in letter.items):
        raise ZeroDivisionError("ada@example.org")
    return compose(letter)


async def test_one_item_that_cannot_be_worded_keeps_nobody_back(delivery_env: DeliveryEnv) -> None:
    await delivery_env.post(
        item("ada"), about("transferred", "ada"), about("transferred", "cleo"), about("winding_down", "dan")
    )
    whole, delivery_env.post_office = (
        delivery_env.post_office,
        post_office(delivery_env.database, delivery_env.post_office._office.transport, poisoned),
    )
    rounds = await delivery_env.deliver_until_done(NINE)
    assert sorted(one.recipient for one in delivery_env.sink.received) == [ADA, "dan@example.org"]
    assert rounds[0].trouble == "not worded: transferred: ZeroDivisionError"
    assert await delivery_env.items() == {
        "check_in#1/ada/request": "sent",
        "transferred#1/ada/notice": "queued transferred: ZeroDivisionError",
        "transferred#1/cleo/notice": "queued transferred: ZeroDivisionError",
        "winding_down#1/dan/notice": "sent",
    }
    assert [person for person, _ in await delivery_env.events("mail_failed")] == ["ada", "cleo"]
    assert rounds[-1].next_at == NINE + HOUR

    # The template is fixed: an hour later they go, each on a day without mail.
    delivery_env.post_office = whole
    assert (await delivery_env.deliver(NINE + HOUR)).sent == 1
    assert (await delivery_env.deliver(NINE + DAY)).sent == 1
    assert set((await delivery_env.items()).values()) == {"sent"}


async def test_a_row_that_makes_no_sense_keeps_nobody_back(delivery_env: DeliveryEnv) -> None:
    await delivery_env.post(item("ada"))
    await delivery_env.post(about("transferred", "dan"), mentorship=GROUP.key)
    zone = (await delivery_env.person("ada")).zone
    await delivery_env.change("ada", zone="Atlantis/Capital")
    result = await delivery_env.deliver(NINE)
    assert [one.recipient for one in delivery_env.sink.received] == ["dan@example.org"]
    assert (result.sent, result.trouble) == (1, "not worded: check_in: ZoneInfoNotFoundError")
    assert (await delivery_env.items())["check_in#1/ada/request"] == "queued check_in: ZoneInfoNotFoundError"
    assert [person for person, _ in await delivery_env.events("mail_failed")] == ["ada"]
    assert result.next_at == NINE + HOUR

    await delivery_env.change("ada", zone=zone)
    assert (await delivery_env.deliver(NINE + HOUR)).sent == 1
    assert set((await delivery_env.items()).values()) == {"sent"}


async def test_a_mail_in_doubt_whose_row_makes_no_sense_keeps_nobody_back(delivery_env: DeliveryEnv) -> None:
    await delivery_env.post(item("ada"))
    delivery_env.sink.script(ADA, DROP, ACCEPT)
    await delivery_env.deliver(NINE)
    zone = (await delivery_env.person("ada")).zone
    await delivery_env.change("ada", zone="Atlantis/Capital")
    await delivery_env.post(about("transferred", "dan"), now=NINE, mentorship=GROUP.key)
    result = await delivery_env.deliver(NINE + HOUR)
    assert (result.sent, result.trouble) == (1, "not decided: ZoneInfoNotFoundError")
    assert len(delivery_env.sink.mails_to(ADA)) == 1

    await delivery_env.change("ada", zone=zone)
    assert (await delivery_env.deliver(NINE + 2 * HOUR)).sent == 1
    assert len({one.id for one in delivery_env.sink.mails_to(ADA)}) == 1
    assert len(delivery_env.sink.mails_to(ADA)) == 2


async def test_an_item_that_lacks_what_it_tells_of_keeps_nobody_back(delivery_env: DeliveryEnv) -> None:
    await delivery_env.post(about("agreement_concluded", "ada", "receipt"), about("transferred", "cleo"))
    result = await delivery_env.deliver(NINE)
    assert result.sent == 1
    assert result.trouble == "not worded: agreement_concluded: Missing"


# -- two at once ---------------------------------------------------------------------------------------------------


async def test_two_deliverers_at_once_send_everything_once(delivery_env: DeliveryEnv, database_url: str) -> None:
    people = ("ada", "cleo", "dan")
    for person in people:
        await delivery_env.post(about("transferred", person), about("winding_down", person, "urgent"))
    transport = delivery_env.post_office._office.transport
    async with Database.open(database_url) as other:
        offices = [delivery_env.post_office, post_office(other, transport), post_office(other, transport)]
        for _ in range(3):
            results = await asyncio.gather(*(_deliver(each) for each in offices))
            assert all(result.ambiguous == 0 for result in results)
    assert sorted(one.recipient for one in delivery_env.sink.received) == sorted(
        f"{p}@example.org" for p in people * 2
    )
    assert len({one.id for one in delivery_env.sink.received}) == 6
    assert set(await delivery_env.messages()) == {"sent"}


async def _deliver(each: PostOffice) -> DeliverResult:
    return await each.deliver(DeliverInput(0, NINE))


async def test_something_queued_while_a_postmaster_goes_to_sleep_wakes_it(delivery_env: DeliveryEnv) -> None:
    await delivery_env.deliver(NINE)
    async with delivery_env.database.session() as session:
        assert list(await shards_to_wake(session, {0: NINE + DAY}, NINE)) == [0]
    await delivery_env.post(about("transferred", "ben"), now=NINE)
    await delivery_env.deliver(NINE)
    async with delivery_env.database.session() as session:
        assert not await shards_to_wake(session, {0: NINE_IN_NEW_YORK}, NINE)
        assert list(await shards_to_wake(session, {0: NINE + MINUTE}, NINE)) == [0]


# -- settings ------------------------------------------------------------------------------------------------------


async def test_in_staging_every_mail_goes_to_one_address_and_names_no_other(delivery_env: DeliveryEnv) -> None:
    delivery_env.post_office = post_office(
        delivery_env.database, delivery_env.post_office._office.transport, redirect_all_to="staging@example.net"
    )
    await delivery_env.post(item("ada"), about("transferred", "cleo"))
    await delivery_env.deliver(NINE)
    assert {one.recipient for one in delivery_env.sink.received} == {"staging@example.net"}
    assert all("staging@example.net" in one.message["To"] for one in delivery_env.sink.received)
    assert all(ADA not in one.message["To"] for one in delivery_env.sink.received)


async def test_the_envelope_sender_names_the_mail(delivery_env: DeliveryEnv) -> None:
    delivery_env.post_office = post_office(
        delivery_env.database,
        delivery_env.post_office._office.transport,
        bounce_address="bounces@example.org",
        secret="x" * 32,
    )
    await delivery_env.post(item("ada"))
    await delivery_env.deliver(NINE)
    [message] = await delivery_env.rows(MessageRow)
    assert delivery_env.sink.received[0].sender.startswith(f"bounces+{message.id}.")


async def test_mails_are_kept_apart_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []

    async def note(seconds: float) -> None:
        waits.append(seconds)

    monkeypatch.setattr("activities.delivery.delivery_settings.asyncio.sleep", note)
    pace, none = RateLimiter(4), RateLimiter(0)
    for _ in range(3):
        await pace.wait()
        await none.wait()
    assert waits == pytest.approx([0.25, 0.5], abs=0.05)


# -- absences ------------------------------------------------------------------------------------------------------


async def states(delivery_env: DeliveryEnv, person: str, first: date, last: date) -> None:
    form = AbsenceForm(person, "another-cohort", "m1", "check_in", 1)
    async with delivery_env.database.begin() as session:
        await absences.state(session, form, [(first, last)], NINE - DAY)


async def test_a_reminder_waits_until_its_person_is_back_and_others_get_theirs(delivery_env: DeliveryEnv) -> None:
    await states(delivery_env, "ada", TUESDAY, date(2026, 3, 5))
    await delivery_env.post(item("ada"), item("ben"))
    await delivery_env.deliver(NINE_IN_NEW_YORK)
    reminders = [item(person, "reminder", 1, date=date(2026, 3, 4)) for person in ("ada", "ben")]
    await delivery_env.post(*reminders, about("transferred", "ada"), now=NINE + DAY)
    wednesday = NINE_IN_NEW_YORK + 2 * DAY
    assert (await delivery_env.deliver(wednesday)).sent == 2
    assert await delivery_env.items() == {
        "check_in#1/ada/request": "sent",
        "check_in#1/ben/request": "sent",
        "check_in#1/ada/reminder.1": "queued",
        "check_in#1/ben/reminder.1": "sent",
        "transferred#1/ada/notice": "sent",
    }
    back = NINE + 4 * DAY
    assert await delivery_env.wakes_at() == back
    await delivery_env.deliver(back)
    assert (await delivery_env.items())["check_in#1/ada/reminder.1"] == "sent"


async def test_it_is_dropped_where_another_follows(delivery_env: DeliveryEnv) -> None:
    await states(delivery_env, "ada", TUESDAY, date(2026, 3, 5))
    await delivery_env.post(item("ada"))
    await delivery_env.deliver(NINE)
    reminder = item("ada", "reminder", 1, date=date(2026, 3, 4), about=ANOTHER_FOLLOWS)
    await delivery_env.post(reminder, now=NINE + DAY)
    await delivery_env.deliver(NINE + 2 * DAY)
    assert (await delivery_env.items())["check_in#1/ada/reminder.1"] == "dropped away"
    assert await delivery_env.events("dropped") == [("ada", f"{reminder.key} away")]


async def test_an_absence_that_is_stated_while_the_mail_is_worded_counts(delivery_env: DeliveryEnv) -> None:
    await delivery_env.post(item("ada"))
    await delivery_env.deliver(NINE)
    await delivery_env.post(item("ada", "reminder", 1, date=date(2026, 3, 4)), now=NINE + DAY)
    wednesday = NINE + 2 * DAY
    async with delivery_env.database.session() as session:
        boxes = await due.postboxes(session, ["ada"], wednesday)
    await states(delivery_env, "ada", TUESDAY, date(2026, 3, 5))
    async with delivery_env.database.begin() as session:
        assert await due.unchanged(session, boxes, wednesday) == set()
