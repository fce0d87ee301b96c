"""Simulated people: profiles dealt in exact shares, replies that a seed decides and nothing else."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifecycle.local_time import local_date, zone
from program.loader import SHIPPED, load_form
from rehearsal.behaviour import PROFILES, Behaviour
from rehearsal.people import People, ReceivedRequest, Reply

PEOPLE = [f"p{n:03}" for n in range(40)]
MAILED = datetime(2038, 3, 10, 9, 5, tzinfo=UTC)
FORMS = {path.stem: load_form(path) for path in sorted((SHIPPED / "forms").glob("*.yaml"))}


def asked(
    person: str = "p001", ask: str = "check_in", number: int = 1, zone: str = "Asia/Kolkata"
) -> ReceivedRequest:
    return ReceivedRequest(person, ask, number, "mentee", "one_to_one", zone, MAILED)


def reply(people: People, this: ReceivedRequest) -> Reply | None:
    return people.reply(this, FORMS[this.ask])


def mixed(**shares: str) -> Behaviour:
    return Behaviour.model_validate({"mix": shares})


# -- dealing -----------------------------------------------------------------------------------------------------


def test_shares_are_dealt_exactly() -> None:
    people = People(mixed(prompt="50%", busy="25%", fading="20%", silent="5%"), PEOPLE)
    assert Counter(people.dealt.values()) == {"prompt": 20, "busy": 10, "fading": 8, "silent": 2}


@given(st.integers(0, 60), st.lists(st.integers(1, 50), min_size=1, max_size=5), st.integers(0, 5))
def test_everybody_gets_one_profile_and_no_share_is_off_by_one_person(n: int, weights: list[int], seed: int) -> None:
    names = list(PROFILES)[: len(weights)]
    shares = {name: weight / sum(weights) for name, weight in zip(names, weights, strict=True)}
    dealt = People(Behaviour(mix=shares), PEOPLE[:n] if n <= 40 else [f"p{i}" for i in range(n)], seed).dealt
    count = Counter(dealt.values())
    assert len(dealt) == n
    assert all(abs(count[name] - share * n) < 1 for name, share in shares.items())


def test_who_is_scripted_is_not_dealt_to() -> None:
    script = Behaviour.model_validate({"mix": {"silent": 1}, "people": {"p000": {}, "p007": {"default": "never"}}})
    assert sorted(People(script, PEOPLE).dealt) == [person for person in PEOPLE if person not in ("p000", "p007")]


def test_a_seed_deals_always_the_same_and_another_otherwise() -> None:
    mix = mixed(prompt="50%", busy="50%")
    assert People(mix, PEOPLE, 7).dealt == People(mix, reversed(PEOPLE), 7).dealt
    assert People(mix, PEOPLE, 7).dealt != People(mix, PEOPLE, 8).dealt


# -- replies -----------------------------------------------------------------------------------------------------


@given(st.sampled_from(sorted(PROFILES)), st.sampled_from(sorted(FORMS)), st.integers(1, 6), st.integers(0, 50))
def test_a_reply_depends_on_seed_person_and_occasion_only(profile: str, ask: str, number: int, seed: int) -> None:
    one, other = (People(mixed(**{profile: "100%"}), PEOPLE, seed) for _ in range(2))
    this = asked(ask=ask, number=number)
    reply(other, asked("p030", ask))  # what others are asked before changes nothing
    assert reply(one, this) == reply(other, this)


@given(st.sampled_from(["prompt", "busy"]), st.integers(1, 40), st.sampled_from(["Asia/Kolkata", "Pacific/Auckland"]))
def test_a_reply_comes_within_the_days_and_hours_of_the_profile(profile: str, number: int, where: str) -> None:
    this = asked(number=number, zone=where)
    found = reply(People(mixed(**{profile: "100%"}), PEOPLE), this)
    kind = PROFILES[profile]
    if found is not None:
        days = (local_date(found.at, where) - local_date(MAILED, where)).days
        assert kind.after[0] <= days <= kind.after[1]
        at = found.at.astimezone(zone(where)).time()
        assert kind.at[0] <= at <= kind.at[1] or found.at == MAILED + timedelta(minutes=1)


def test_the_silent_say_nothing_and_the_prompt_nearly_always_something() -> None:
    occasions = [asked(person, number=n) for person in PEOPLE for n in (1, 2, 3)]
    said = {
        name: sum(reply(People(mixed(**{name: "100%"}), PEOPLE), one) is not None for one in occasions)
        for name in ("silent", "prompt", "fading")
    }
    assert said["silent"] == 0
    assert said["prompt"] > 0.95 * len(occasions)
    assert 0 < said["fading"] < said["prompt"]


def test_who_fades_says_less_and_less() -> None:
    people = People(mixed(fading="100%"), PEOPLE)
    answered = [sum(reply(people, asked(person, number=n)) is not None for person in PEOPLE) for n in (1, 3, 6)]
    assert answered[0] > answered[1] > answered[2]


# -- scripts -----------------------------------------------------------------------------------------------------


def scripted(**script: object) -> People:
    return People(Behaviour.model_validate({"people": {"p001": script}}), PEOPLE)


@pytest.mark.parametrize(
    ("script", "number", "days", "at"),
    [
        ({}, 1, 1, time(12)),
        ({"default": {"after": 3, "at": "08:15"}}, 1, 3, time(8, 15)),
        ({"default": {"after": 3, "at": "08:15"}, "check_in": {"after": 5}}, 1, 5, time(8, 15)),
        ({"check_in": {"after": 5}, "check_in#2": {"after": 0, "at": "23:59"}}, 2, 0, time(23, 59)),
        ({"check_in": {"after": 5}, "check_in#2": {"after": 0, "at": "23:59"}}, 1, 5, time(12)),
    ],
)
def test_the_nearest_line_of_a_script_counts(script: dict[str, object], number: int, days: int, at: time) -> None:
    found = reply(scripted(**script), asked(number=number))
    assert found is not None
    local = found.at.astimezone(zone("Asia/Kolkata"))
    assert (local.date() - local_date(MAILED, "Asia/Kolkata")).days == days
    assert local.time() == at


def test_never_is_never() -> None:
    people = scripted(default="never", invitation={})
    assert reply(people, asked()) is None
    assert reply(people, asked(ask="invitation")) is not None


def test_nobody_answers_before_the_mail_came() -> None:
    found = reply(scripted(default={"after": 0, "at": "06:00"}), asked())
    assert found is not None
    assert found.at == MAILED + timedelta(minutes=1)


def test_what_is_scripted_replaces_the_contented_answer_and_nothing_else() -> None:
    found = reply(scripted(check_in={"answers": {"p_open": 2}}), asked())
    contented = FORMS["check_in"].contented("mentee", "one_to_one")
    assert found is not None
    assert found.answers == contented | {"p_open": 2}
    assert contented["p_open"] != 2
