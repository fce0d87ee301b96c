"""Mails worded in the quiet before a letterbox opens: the same mails, and never a stale one."""

from __future__ import annotations

import pytest

from activities.delivery.delivery_settings import PostOfficeRules
from lifecycle.delivery.postbox import LOOK_AFTER
from mail.compose import compose
from mail.letters import Letter, WordedMail
from store.tables import MessageRow
from testing.cohorts.small_cohort import item
from testing.environments.delivery_env import HOUR, MINUTE, NINE, DeliveryEnv, about, post_office

WORDED: list[str] = []


def counting(letter: Letter) -> WordedMail:
    """The templates, and how often they were used."""
    WORDED.append(letter.recipient.id)
    return compose(letter)


@pytest.fixture(autouse=True)
def _crowd(delivery_env: DeliveryEnv, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("activities.delivery.delivery_round.CROWD", 2)
    WORDED.clear()
    delivery_env.post_office = post_office(
        delivery_env.database, delivery_env.post_office._office.transport, counting
    )


async def test_the_postmaster_looks_ten_minutes_earlier_where_many_are_due(delivery_env: DeliveryEnv) -> None:
    await delivery_env.post(item("ada"), about("transferred", "cleo"))
    assert (await delivery_env.deliver(NINE - 8 * HOUR)).next_at == NINE - 10 * MINUTE
    quiet = await delivery_env.deliver(NINE - 10 * MINUTE)
    assert (quiet.sent, quiet.next_at, sorted(WORDED)) == (0, NINE, ["ada", "cleo"])
    assert delivery_env.sink.received == []
    assert await delivery_env.rows(MessageRow) == []

    assert (await delivery_env.deliver(NINE)).sent == 2
    assert len(WORDED) == 2, "nothing was worded twice"


async def test_whoever_changed_in_between_gets_a_mail_that_knows_it(delivery_env: DeliveryEnv) -> None:
    await delivery_env.post(about("farewell", "cleo"), about("introduction", "ada"))
    await delivery_env.deliver(NINE - 10 * MINUTE)
    await delivery_env.change("ben", name="Benedict Mentee")
    await delivery_env.post(about("transferred", "cleo"), now=NINE - MINUTE)
    await delivery_env.deliver(NINE)
    to_ada, to_cleo = (
        delivery_env.sink.mails_to("ada@example.org")[0],
        delivery_env.sink.mails_to("cleo@example.org")[0],
    )
    assert "Benedict" in to_ada.text
    assert "2 things for you" in to_cleo.text


async def test_a_mail_that_waits_its_turn_bears_the_moment_at_which_it_was_due(delivery_env: DeliveryEnv) -> None:
    await delivery_env.post(item("ada"), about("transferred", "cleo"))
    await delivery_env.deliver(NINE - 10 * MINUTE)
    await delivery_env.deliver(NINE + 3 * MINUTE)
    assert {row.at for row in await delivery_env.rows(MessageRow)} == {NINE - LOOK_AFTER}
    assert len(WORDED) == 2
    assert all("09:00" in one.text for one in delivery_env.sink.received)
    # What came at ten past ten bears ten past ten, and after an outage a mail bears no hour that is long gone.
    await delivery_env.post(about("transferred", "dan"), now=NINE + 70 * MINUTE)
    await delivery_env.deliver(NINE + 71 * MINUTE)
    await delivery_env.post(about("winding_down", "ada"), now=NINE + 26 * HOUR)
    await delivery_env.deliver(NINE + 29 * HOUR + 5 * MINUTE)
    assert [row.at for row in sorted(await delivery_env.rows(MessageRow), key=lambda row: row.at)][2:] == [
        NINE + 70 * MINUTE + LOOK_AFTER,
        NINE - LOOK_AFTER + 29 * HOUR,
    ]


async def test_a_season_played_fast_has_no_quiet_hours(delivery_env: DeliveryEnv) -> None:
    delivery_env.post_office = post_office(
        delivery_env.database, delivery_env.post_office._office.transport, speed=1000.0
    )
    await delivery_env.post(item("ada"), about("transferred", "cleo"))
    assert (await delivery_env.deliver(NINE - 8 * HOUR)).next_at == NINE


def test_rules_say_at_once_that_a_bounce_address_is_too_long() -> None:
    with pytest.raises(ValueError, match="shorter"):
        PostOfficeRules("us@example.org", bounce_address="b" * 40 + "@example.org", secret="s" * 32)
