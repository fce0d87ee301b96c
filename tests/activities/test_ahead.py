"""Mails worded in the quiet before a letterbox opens: the same mails, and never a stale one."""

from __future__ import annotations

import pytest

from activities.delivery_settings import PostOfficeRules
from lifecycle.delivery.postbox import LOOK_AFTER
from mail.compose import compose
from mail.letters import Composed, Letter
from store.tables import MessageRow
from testing.delivery_env import HOUR, MINUTE, NINE, House, about, office
from testing.small_cohort import item

WORDED: list[str] = []


def counting(letter: Letter) -> Composed:
    """The templates, and how often they were used."""
    WORDED.append(letter.recipient.id)
    return compose(letter)


@pytest.fixture(autouse=True)
def _crowd(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("activities.delivery_round.CROWD", 2)
    WORDED.clear()
    house.office = office(house.database, house.office._office.transport, counting)


async def test_the_postmaster_looks_ten_minutes_earlier_where_many_are_due(house: House) -> None:
    await house.post(item("ada"), about("get_going", "cleo"))
    assert (await house.deliver(NINE - 8 * HOUR)).next_at == NINE - 10 * MINUTE
    quiet = await house.deliver(NINE - 10 * MINUTE)
    assert (quiet.sent, quiet.next_at, sorted(WORDED)) == (0, NINE, ["ada", "cleo"])
    assert house.sink.received == []
    assert await house.rows(MessageRow) == []

    assert (await house.deliver(NINE)).sent == 2
    assert len(WORDED) == 2, "nothing was worded twice"


async def test_whoever_changed_in_between_gets_a_mail_that_knows_it(house: House) -> None:
    await house.post(about("introduction", "cleo"), about("introduction", "ada"))
    await house.deliver(NINE - 10 * MINUTE)
    await house.change("ben", name="Benedict Mentee")
    await house.post(about("get_going", "cleo"), now=NINE - MINUTE)
    await house.deliver(NINE)
    to_ada, to_cleo = house.sink.mails_to("ada@example.org")[0], house.sink.mails_to("cleo@example.org")[0]
    assert "Benedict" in to_ada.text
    assert "2 things for you" in to_cleo.text


async def test_a_mail_that_waits_its_turn_bears_the_moment_at_which_it_was_due(house: House) -> None:
    await house.post(item("ada"), about("get_going", "cleo"))
    await house.deliver(NINE - 10 * MINUTE)
    await house.deliver(NINE + 3 * MINUTE)
    assert {row.at for row in await house.rows(MessageRow)} == {NINE}
    assert len(WORDED) == 2
    assert all("09:00" in one.text for one in house.sink.received)
    # What came at ten past ten bears ten past ten, and after an outage a mail bears no hour that is long gone.
    await house.post(about("get_going", "dan"), now=NINE + 70 * MINUTE)
    await house.deliver(NINE + 71 * MINUTE)
    await house.post(about("winding_down", "ada"), now=NINE + 26 * HOUR)
    await house.deliver(NINE + 29 * HOUR + 5 * MINUTE)
    assert [row.at for row in sorted(await house.rows(MessageRow), key=lambda row: row.at)][2:] == [
        NINE + 70 * MINUTE + LOOK_AFTER,
        NINE + 29 * HOUR,
    ]


async def test_a_season_played_fast_has_no_quiet_hours(house: House) -> None:
    house.office = office(house.database, house.office._office.transport, speed=1000.0)
    await house.post(item("ada"), about("get_going", "cleo"))
    assert (await house.deliver(NINE - 8 * HOUR)).next_at == NINE


def test_rules_say_at_once_that_a_bounce_address_is_too_long() -> None:
    with pytest.raises(ValueError, match="shorter"):
        PostOfficeRules("us@example.org", bounce_address="b" * 40 + "@example.org", secret="s" * 32)
