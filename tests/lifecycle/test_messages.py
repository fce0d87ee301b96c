"""Lifecycle 8, message: whom it reaches, and what keeps it back. And the absences that people state."""

from __future__ import annotations

from datetime import UTC, date, datetime

from lifecycle.assessment import absences
from lifecycle.delivery.absences import LATEST
from lifecycle.delivery.holds import Standstill
from lifecycle.delivery.messages import MessagePlace, facts_of, item_key, post_of, readers

NOW = datetime(2027, 3, 1, 9, tzinfo=UTC)
HELD = Standstill(held=True)


def test_a_message_has_a_key_of_its_own_for_each_person_and_goes_after_the_end_too() -> None:
    post = post_of("spring", "4f2c", "p07", NOW)
    assert post.key == item_key("spring", "4f2c", "p07") == "spring/all/message.4f2c#1/p07/notice"
    assert (post.kind, post.name, post.about, post.after_end) == ("notice", "message", "4f2c", True)


def test_it_reaches_everybody_with_a_seat_who_has_not_left() -> None:
    standings = ("accepted", "invited", "silent", "declined", "out")
    seats = [("m1", (standing, "mentee", standing)) for standing in standings]
    seats.append(("m2", ("accepted", "mentor", "accepted")))
    assert readers(seats) == {"accepted": ("m1", "m2"), "invited": ("m1",), "silent": ("m1",)}
    assert readers(seats, ["silent", "out"]) == {"silent": ("m1",)}


def test_it_waits_while_every_mentorship_of_its_reader_stands_still() -> None:
    still, moves = MessagePlace("m1", "accepted", HELD), MessagePlace("m2", "accepted")
    left = MessagePlace("m3", "out")
    assert facts_of([still])[0].held
    assert not facts_of([still, moves])[0].held
    assert facts_of([still, left])[0].held, "one that they have left moves nothing"
    assert facts_of([left]) == (facts_of([])[0], True)
    assert facts_of([])[1] is False


def test_absences_are_read_from_both_questions_once_and_in_order() -> None:
    later, sooner = ["2027-05-03", "2027-05-16"], ["2027-04-01", "2027-04-02"]
    stated = absences({"p_away": [later, later, ["2027-06-02", "2027-06-01"]], "a_away": [sooner], "p_word": "x"})
    assert stated == ((date(2027, 4, 1), date(2027, 4, 2)), (date(2027, 5, 3), date(2027, 5, 16)))
    assert absences({"p_away": [["2027-05-03", "9999-12-31"]]}) == ((date(2027, 5, 3), LATEST),)
    assert absences({}) == ()
