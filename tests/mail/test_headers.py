"""Headers as they stand in the bytes, not as a library would like to read them."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.parser import HeaderParser
from email.utils import parsedate_to_datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mail.compose import compose
from mail.headers import BadHeader, message_id
from mail.inserts import BadInsert
from mail.letters import Letter
from mail.message import MimePart, written
from mail.preview import sample

REQUEST = sample("check_in")
REMINDER = sample("check_in", kind="reminder")

SMUGGLED = (
    "=?utf-8?q?a=0d=0aBcc:_evil@example.com?=",
    "=?utf-8?b?YQ0KQmNjOiBldmlsQGV4YW1wbGUuY29t?=",
    "= ?utf-8?q?a=0d=0aBcc:_evil@example.com?=",
    "==?utf-8?q?a=0d=0aBcc:_evil@example.com?=?=",
    "Ada\r\nBcc: evil@example.com",
    "Ada\nBcc: evil@example.com\n\nbody",
    "Ada\rBcc: evil@example.com",
    "Ada\u2028Bcc: evil@example.com",
    "Ada\u2029Bcc: evil@example.com",
    "{{ ''.__class__ }}",
    "Ada\u0085Bcc: evil@example.com",
    "Ada\x0bBcc: evil@example.com",
    "Ada\x00",
    'Ada" <evil@example.com>, "x',
    "Ada <evil@example.com>, Bo",
    "\\",
    '"',
    "Ünï\r\nBcc: evil@example.com",
)


def head_of(raw: str) -> dict[str, str]:
    """Header names (lower case) to values, from the bytes; a name twice fails."""
    found: dict[str, str] = {}
    block = raw.partition("\r\n\r\n")[0]
    for line in block.replace("\r\n ", " ").split("\r\n"):
        name, _, value = line.partition(": ")
        assert name.lower() not in found
        found[name.lower()] = value
    return found


def read(raw: str) -> EmailMessage:
    found = message_from_bytes(raw.encode("ascii"), EmailMessage, policy=policy.default)
    assert isinstance(found, EmailMessage)
    return found


def test_every_header_that_a_good_mail_has() -> None:
    head = head_of(compose(REQUEST).raw)
    assert list(head) == [
        "date", "from", "to", "reply-to", "subject", "message-id", "list-id", "list-unsubscribe",
        "list-unsubscribe-post", "auto-submitted", "x-auto-response-suppress", "content-language", "mime-version",
        "content-type",
    ]  # fmt: skip
    assert head["from"] == "Spring 2027 mentoring <mentoring@example.org>"
    assert head["to"] == "Jonas Lindqvist <jonas.lindqvist@example.org>"
    assert head["list-id"] == '"Spring 2027 mentoring" <spring.example.org>'
    assert head["list-unsubscribe-post"] == "List-Unsubscribe=One-Click"
    assert head["auto-submitted"] == "auto-generated"
    assert head["x-auto-response-suppress"] == "All"


def test_the_date_is_that_of_the_logical_send() -> None:
    assert parsedate_to_datetime(head_of(compose(REQUEST).raw)["date"]) == REQUEST.at


def test_a_send_without_a_zone_is_refused() -> None:
    naive: datetime = REQUEST.at.replace(tzinfo=None)
    with pytest.raises(BadHeader, match="zone"):
        compose(replace(REQUEST, at=naive))


def test_a_message_id_depends_on_the_key_alone() -> None:
    first = message_id("spring/m07/check_in#2/p07/request", "example.org")
    assert first == message_id("spring/m07/check_in#2/p07/request", "example.org")
    assert first != message_id("spring/m07/check_in#2/p07/reminder.1", "example.org")
    assert first.endswith("@example.org>")
    assert len(first) < 78
    assert message_id("k", "bücher.example").endswith("@xn--bcher-kva.example>")


def test_a_reminder_threads_under_its_request() -> None:
    head = head_of(compose(REMINDER).raw)
    assert head["in-reply-to"] == head["references"] == REMINDER.references[0]
    assert "in-reply-to" not in head_of(compose(REQUEST).raw)
    earlier = tuple(message_id(str(n), "example.org") for n in range(20))
    head = head_of(compose(replace(REMINDER, references=earlier)).raw)
    assert head["in-reply-to"] == earlier[-1]
    assert head["references"].split() == list(earlier[-10:])


@pytest.mark.parametrize("length", [1, 44, 45, 51, 75, 76, 120, 400])
def test_what_machines_read_is_never_encoded(length: int) -> None:
    url = f"https://mentoring.example.org/u/{'x' * length}"
    letter = replace(REMINDER, unsubscribe_url=url, cohort_title="Frühling 2027 – Mentoring für alle")
    raw = compose(letter).raw
    for line in raw.partition("\r\n\r\n")[0].split("\r\n"):
        if line.split(":")[0].startswith(("List-", "Message-ID", "References", "In-Reply-To")):
            assert "=?" not in line
    head = head_of(raw)
    assert head["list-unsubscribe"] == f"<{url}>, <{letter.unsubscribe_mailto}>"
    assert head["list-id"] == '"Fruhling 2027 Mentoring fur alle" <spring.example.org>'


def test_one_click_is_offered_over_https_only() -> None:
    plain = head_of(compose(replace(REQUEST, unsubscribe_url="http://127.0.0.1:8080/u/x")).raw)
    assert "list-unsubscribe-post" not in plain
    assert "list-unsubscribe" in plain
    none = head_of(compose(replace(REQUEST, unsubscribe_url="", unsubscribe_mailto="")).raw)
    assert "list-unsubscribe" not in none


@pytest.mark.parametrize("payload", SMUGGLED)
def test_no_name_becomes_a_header(payload: str) -> None:
    letter = replace(
        REQUEST,
        recipient=replace(REQUEST.recipient, name=payload),
        coordinator=replace(REQUEST.coordinator, name=payload),
        cohort_title=payload,
        organisation=payload,
        sender_name=payload,
        items=(replace(REQUEST.items[0], partners=(replace(REQUEST.items[0].partners[0], name=payload),)),),
    )
    mail = compose(letter)
    found = read(mail.raw)
    assert [name.lower() for name in found] == list(head_of(compose(REQUEST).raw))
    for header, address in (
        ("To", letter.recipient.email),
        ("From", letter.sender),
        ("Reply-To", letter.coordinator.email),
    ):
        assert [one.addr_spec for one in found[header].addresses] == [address]


@settings(max_examples=150, deadline=None)
@given(name=st.text(min_size=1, max_size=200), title=st.text(min_size=1, max_size=200))
def test_any_name_gives_the_same_headers(name: str, title: str) -> None:
    letter = replace(REQUEST, recipient=replace(REQUEST.recipient, name=name), cohort_title=title)
    mail = compose(letter)
    found = read(mail.raw)
    assert [one.lower() for one in found] == list(head_of(compose(REQUEST).raw))
    assert found["To"].addresses[0].addr_spec == REQUEST.recipient.email
    assert max(len(line) for line in mail.raw.split("\r\n")) <= 998


def test_other_alphabets_come_through() -> None:
    letter = replace(REQUEST, recipient=replace(REQUEST.recipient, name="Софія Ковальчук", language="uk"))
    partner = replace(REQUEST.items[0].partners[0], name="田中 美咲", language="ja")
    letter = replace(letter, items=(replace(REQUEST.items[0], partners=(partner,)),))
    mail = compose(letter)
    found = read(mail.raw)
    assert found["To"].addresses[0].display_name == "Софія Ковальчук"
    assert found["Subject"] == mail.subject == "Check-in 1: how is it going with 田中 美咲?"


def test_a_name_too_long_for_a_header_is_left_out_there() -> None:
    mail = compose(replace(REQUEST, recipient=replace(REQUEST.recipient, name="Ж" * 200)))
    assert head_of(mail.raw)["to"] == REQUEST.recipient.email
    assert "Ж" * 200 in mail.text


def test_a_domain_is_written_as_dns_has_it() -> None:
    mail = compose(replace(REQUEST, recipient=replace(REQUEST.recipient, email="jonas@bücher.example")))
    assert head_of(mail.raw)["to"] == "Jonas Lindqvist <jonas@xn--bcher-kva.example>"


def broken() -> dict[str, Letter]:
    person = REQUEST.recipient
    return {
        "two-addresses": replace(REQUEST, recipient=replace(person, email="a@example.org, b@example.org")),
        "injected-address": replace(REQUEST, recipient=replace(person, email="a@example.org\r\nBcc: b@example.org")),
        "no-address": replace(REQUEST, recipient=replace(person, email="")),
        "not-ascii": replace(REQUEST, coordinator=replace(REQUEST.coordinator, email="jörg@example.org")),
        "message-id": replace(REQUEST, message_id="<a@b>\r\nBcc: c@example.org"),
        "reference": replace(REQUEST, references=("no id",)),
        "unsubscribe": replace(REQUEST, unsubscribe_url="https://example.org/ x"),
        "mailto": replace(REQUEST, unsubscribe_mailto="mailto:a@example.org>, <https://evil.example"),
    }


@pytest.mark.parametrize("name", broken())
def test_a_letter_that_can_not_be_written_safely_is_refused_without_saying_whose(name: str) -> None:
    letter = broken()[name]
    with pytest.raises((BadHeader, BadInsert)) as refused:
        compose(letter)
    for secret in ("example", "jonas", "Jonas", "jörg"):
        assert secret not in str(refused.value)


def test_an_international_domain_stands_in_its_dns_form() -> None:
    letter = replace(REQUEST, recipient=replace(REQUEST.recipient, email="ada@straße.example.org"))
    raw = compose(letter).raw
    assert "<ada@xn--strae-oqa.example.org>" in raw
    assert raw.isascii()


def test_letters_before_the_at_stand_in_the_mail_to_that_address_only() -> None:
    letter = replace(REQUEST, recipient=replace(REQUEST.recipient, email="zoë.müller@bücher.example.org"))
    raw = compose(letter).raw
    beyond = [line for line in raw.split("\r\n") if not line.isascii()]
    assert [line.partition(":")[0] for line in beyond] == ["To"]
    assert beyond[0].endswith("<zoë.müller@xn--bcher-kva.example.org>")
    with pytest.raises(BadHeader, match="Reply-To"):
        compose(replace(letter, coordinator=replace(letter.coordinator, email="ü@example.org")))


@pytest.mark.parametrize(
    "email", ["ü\r\nBcc: x@example.org", "ü <x@example.org>", "ü,x@example.org", "ü\u202e@example.org"]
)
def test_letters_before_the_at_smuggle_nothing_in(email: str) -> None:
    with pytest.raises(BadHeader):
        compose(replace(REQUEST, recipient=replace(REQUEST.recipient, email=email)))


@given(
    st.lists(
        st.tuples(
            st.text("Ab:-\n\r \t", max_size=4),
            st.text("ab:\r\n \t\x0b\x0c\x1c\x85\u2028=?é", max_size=12) | st.sampled_from(SMUGGLED),
        ),
        max_size=4,
    ),
    st.booleans(),
)
@settings(max_examples=500)
def test_headers_that_are_written_are_those_that_a_library_reads(headers: list[tuple[str, str]], utf8: bool) -> None:
    try:
        raw = written(headers, MimePart("text/plain", "hello"), "<id@example.org>", utf8=utf8)
    except BadHeader:
        return
    names = [name for name, _ in headers]
    found = HeaderParser().parsestr(raw)
    assert [name for name in found if not name.startswith("Content-")] == names
    assert not found.defects


@pytest.mark.parametrize(
    "payload", ["a\r\nBcc: b", "a\r\n\r\nb", "a\nBcc: b", "a\rBcc: b", "a\r\nb", "a\x0bBcc: b", "a\x00"]
)
def test_a_header_that_is_two_is_never_written(payload: str) -> None:
    with pytest.raises(BadHeader):
        written([("Subject", payload)], MimePart("text/plain", "hello"), "<id@example.org>")
