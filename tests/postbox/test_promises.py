"""The promises about mail, held over random people, items and moments: whatever happens, never two ordinary mails
on one local date, never outside the letterbox, never a fourth mail about a request, and an answer for everything.
"""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from lifecycle.delivery.letterbox import is_open, rule_of
from lifecycle.delivery.notices import NoticeFacts
from lifecycle.delivery.postbox import (
    ANOTHER_FOLLOWS,
    Delivery,
    ItemFacts,
    MentorshipFacts,
    PersonFacts,
    RequestFacts,
    record,
    sort_out,
)
from lifecycle.local_time import local_date
from program.models import Letterbox

START = date(2026, 3, 20)
BEGIN = datetime(2026, 3, 20, tzinfo=UTC)
DAYS = 24
"""Berlin, New York and Chatham change their clocks in it, or near it."""
RULES = (
    rule_of(Letterbox(), [date(2026, 4, 3), date(2026, 4, 6)]),
    rule_of(Letterbox(days=("mon", "wed", "sat"))),
)

hours = st.integers(0, DAYS * 24 - 1)
facts = st.builds(MentorshipFacts, paused=st.booleans(), held=st.booleans(), over=st.booleans())


@st.composite
def postboxes(draw: Any) -> tuple[PersonFacts, list[ItemFacts], list[datetime]]:
    person = PersonFacts(
        "ada",
        draw(st.sampled_from(["Europe/Berlin", "America/New_York", "Pacific/Chatham", "Asia/Kolkata"])),
        standing=draw(st.sampled_from(["active", "active", "active", "left", "erased", "bounced"])),
        reminders_stopped=draw(st.booleans()),
        absences=tuple(
            (first := START + timedelta(days=draw(st.integers(0, DAYS))), first + timedelta(days=length))
            for length in draw(st.lists(st.integers(0, 9), max_size=3))
        ),
    )
    requests = [
        RequestFacts(
            f"r{nth}",
            draw(st.sampled_from(["open", "open", "open", "answered", "closed", "withdrawn", "superseded"])),
            BEGIN + timedelta(hours=draw(hours)),
        )
        for nth in range(3)
    ]
    mentorships = draw(st.lists(facts, min_size=2, max_size=2))
    items = [
        ItemFacts(
            key=f"i{nth}",
            kind=(kind := draw(st.sampled_from(["request", "reminder", "reminder", "notice", "receipt", "urgent"]))),
            name=draw(st.sampled_from(["check_in", "get_going", "safety_received"])),
            date=START + timedelta(days=draw(st.integers(0, DAYS))),
            queued_at=BEGIN + timedelta(hours=draw(hours)),
            rule=draw(st.sampled_from(RULES)),
            request=draw(st.sampled_from(requests if kind in ("request", "reminder") else [*requests, None])),
            mentorship=draw(st.sampled_from([*mentorships, MentorshipFacts(), None])),
            out=draw(st.integers(0, 9)) == 0,
            facts=NoticeFacts(ending=draw(st.integers(0, 9)) == 0),
            after_end=draw(st.booleans()),
            about=draw(st.sampled_from(["", ANOTHER_FOLLOWS])),
        )
        for nth in range(draw(st.integers(1, 14)))
    ]
    looks = sorted({BEGIN + timedelta(hours=hour) for hour in draw(st.lists(hours, min_size=1, max_size=40))})
    return person, items, looks


@given(postboxes())
@settings(deadline=None)
def test_whatever_happens_the_promises_hold(
    season: tuple[PersonFacts, list[ItemFacts], list[datetime]],
) -> None:
    person, items, looks = season
    left = {item.key: item for item in items}
    ordinary_on: Counter[date] = Counter()
    carried: Counter[str] = Counter()
    while looks and left:
        now = looks.pop(0)
        here = [item for item in left.values() if item.queued_at <= now]
        found = sort_out(person, here, now)

        told = [*found.ordinary, *found.fast, *found.held, *(item for item, _ in found.dropped)]
        assert sorted(item.key for item in [*told, *(item for item, _ in found.later)]) == sorted(
            item.key for item in here
        ), "every item has exactly one fate"
        assert all(moment > now for _, moment in found.later), "and nothing is to be looked at in the past"

        carried.update({item.request.key for item in found.fast if item.request})
        for item in found.ordinary:
            assert is_open(item.rule, person.zone, now)
            assert item.date <= local_date(now, person.zone)
            assert item.request is None or carried[item.request.key] < 3
            today = local_date(now, person.zone)
            assert item.kind != "reminder" or not any(first <= today <= last for first, last in person.absences)
        carried.update({item.request.key for item in found.ordinary if item.request})
        if found.ordinary:
            ordinary_on[local_date(now, person.zone)] += 1
        if found.ordinary or found.fast:
            assert person.standing in ("active", "left")
        record(person, found, now)
        for item in [*found.ordinary, *found.fast, *(item for item, _ in found.dropped)]:
            del left[item.key]
        if found.next_at:
            looks = sorted({*looks, found.next_at})

    assert set(ordinary_on.values()) <= {1}


@given(postboxes())
@settings(deadline=None)
def test_looking_more_often_changes_nothing(season: tuple[PersonFacts, list[ItemFacts], list[datetime]]) -> None:
    """The postmaster may be woken at any time: what it does then is the same as if it had slept on.

    What is held has left the queue: it is looked at again when its mentorship goes on.
    """
    person, items, looks = season
    now = looks[-1]
    before = sort_out(person, items, now)
    assert sort_out(person, reversed(items), now) == before
    kept = [item for item, _ in before.later]
    record(person, before, now)
    assert sort_out(person, kept, now) == Delivery(later=before.later)
