"""Signed links: short, stable, revocable, and no use to anybody who makes one up."""

from __future__ import annotations

import pytest

from runtime.links import Links

NEW, OLD = "n" * 40, "o" * 40


def links(*secrets: str) -> Links:
    return Links(secrets or (NEW,), "https://pages.example/")


def test_a_token_is_short_and_always_the_same() -> None:
    token = links().request_token("abcdefghij234567", 1)
    assert len(token) <= 46
    assert token == links().request_token("abcdefghij234567", 1)
    assert links().read_request(token) == ("abcdefghij234567", 1)


@pytest.mark.parametrize("person", ["p07", "a.b-c_d", "x" * 64])
def test_a_stop_link_holds_the_id_and_the_generation_and_nothing_else(person: str) -> None:
    token = links().stop_token(person, 12)
    assert token.rpartition(".")[0] == f"{person}.12"
    assert links().read_stop(token) == (person, 12)


def test_an_answer_rides_on_a_link_unsigned() -> None:
    url = links().request_url("abc", 1, state="fine")
    assert url == f"https://pages.example/f/{links().request_token('abc', 1)}?state=fine"


def test_secrets_rotate() -> None:
    before, after = links(OLD), links(NEW, OLD)
    assert after.read_request(before.request_token("abc", 1)) == ("abc", 1)
    assert before.read_request(after.request_token("abc", 1)) is None
    assert links(NEW).read_request(after.request_token("abc", 1)) == ("abc", 1)


def every_way_to_spoil(token: str) -> list[str]:
    flipped = [token[:at] + ("A" if token[at] != "A" else "B") + token[at + 1 :] for at in range(len(token))]
    return [*flipped, "", ".", "abc.1", token[:-1], token + "A", "ä", "\x00", token.upper(), f"x{token}"]


def test_no_changed_token_is_taken() -> None:
    good = links().request_token("abcdefgh", 1)
    for token in every_way_to_spoil(good):
        assert links().read_request(token) is None, token


def test_a_link_is_good_for_one_purpose_only() -> None:
    assert links().read_request(links().stop_token("ada", 1)) is None
    assert links().read_stop(links().request_token("ada", 1)) is None
    assert links().read_place(links().stop_token("ada", 1)) is None
    assert links().read_stop(links().place_token("ada", 1)) is None
    assert links().read_place(links().place_token("ada", 3)) == ("ada", 3)
    assert links().read_address(links().address_token("abc", "old")) == ("abc", "old")
    assert links().read_address(links().address_token("abc", "new")) == ("abc", "new")
    assert links().read_address(links().address_token("abc", "old").replace("abc", "abd")) is None
    for other in (links().place_token("abc", 1), links().stop_token("abc", 1), links().request_token("abc", 1)):
        assert links().read_address(other) is None


@pytest.mark.parametrize("secrets", [(), ("short",), (NEW, "short")])
def test_a_weak_secret_is_refused_with_what_to_do(secrets: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="MENTORSHIP_SECRET must be at least 32 characters"):
        Links(secrets, "https://pages.example")


LAST_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def other_spellings(token: str) -> list[str]:
    """The same signature as base64 reads it, written in other ways."""
    signature = token.rpartition(".")[2]
    middle = token[:-5]
    return [
        f"{token}=",
        f"{token}==",
        f"{token}!",
        f"{token}\u00e4",
        f"{token} ",
        f"{token}\n",
        f"{middle}\u00e4{token[-5:]}",
        f"{middle}*{token[-5:]}",
        token.replace("-", "+").replace("_", "/") if set("-_") & set(signature) else f"{token}~",
        # Twenty bytes are 27 letters, and two bits of the last one mean nothing.
        *(token[:-1] + letter for letter in LAST_LETTERS if letter != token[-1]),
    ]


def test_a_token_has_one_spelling() -> None:
    ours = links()
    for token, read in (
        (ours.request_token("abcdefgh", 1), ours.read_request),
        (ours.stop_token("ada", 1), ours.read_stop),
        (ours.place_token("ada", 1), ours.read_place),
        (ours.address_token("change", "old"), ours.read_address),
        (ours.application_token("abcdefgh", 1), ours.read_application),
        (ours.opened_token("spring", 1_800_000_000), ours.read_opened),
    ):
        assert read(token) is not None
        assert {read(other) for other in other_spellings(token)} == {None}


def test_what_a_link_means_is_the_same_for_every_link_that_opens_it() -> None:
    old, new = links(OLD), links(NEW, OLD)
    assert old.place_token("ada", 1) != new.place_token("ada", 1)
    assert {new.meaning("me", each.place_token("ada", 1)) for each in (old, new)} == {"me/ada"}
    assert new.meaning("f", new.place_token("ada", 1)) == ""
    assert new.meaning("stop", new.stop_token("ada", 1)) == "stop/ada"
    assert new.meaning("address", new.address_token("abc", "new")) == "address/abc"
    assert new.meaning("application", new.application_token("abc", 2)) == "application/abc"
    assert new.meaning("elsewhere", new.stop_token("ada", 1)) == ""
