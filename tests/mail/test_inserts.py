"""What people wrote stays what it is: text. Never a link, a tag, a heading or a piece of a template."""

from __future__ import annotations

import re
from dataclasses import replace
from html import unescape

import pytest

from mail.compose import compose
from mail.inserts import BadInsert, Inserts, fill, for_html, name, passage, plain
from mail.letters import AgreementChange, Letter, WordedMail
from mail.preview import sample

NASTY = (
    "[click](https://evil.example/x)",
    "<a href='https://evil.example'>x</a>",
    "<script>alert(1)</script>",
    "![x](https://evil.example/p.png)",
    "<https://evil.example>",
    "# Heading",
    "**bold** _it_ `code`",
    "{{ 7 * 7 }}{% raw %}",
    "{{ ''.__class__.__mro__ }}{{ cycler.__init__.__globals__ }}",
    "=?utf-8?q?a=0d=0aBcc:_evil@x?=",
    "a\r\nBcc: evil@example.org\u2028\u2029b",
    "\ue0000\ue001 and \ue000u3\ue001 \ue002",
    "&lt;b&gt; &amp; & \" '",
    "a\n\nb\n> c\n- d",
    '" onclick="x',
    "-- \nfooter",
)


def everywhere(text: str) -> list[Letter]:
    """Letters with this text in every place that people write."""
    introduction, farewell = sample("introduction", "group", "mentor"), sample("farewell")
    agreement, concluded, task = (
        sample("agreement", role="mentor"),
        sample("agreement_concluded"),
        sample("task_opened"),
    )
    person = replace(introduction.items[0].partners[0], name=text, goals=text, offer=text, profile={"place": text})
    facts = task.items[0].task
    assert facts is not None
    edits = [
        (introduction, {"partners": (person,)}),
        (farewell, {"notes": ((text, text),), "contacts": (person,), "partners": (person,)}),
        (agreement, {"changes": (AgreementChange(text, text, text),), "about": person}),
        (concluded, {"agreement": ((text, text),), "partners": (person,)}),
        (task, {"task": replace(facts, reason=text, about=(text,), key=text)}),
        (sample("partner_left"), {"about": person}),
        (sample("get_going"), {"guides": (text, text)}),
        (sample("safety_received"), {"emergency": text}),
        (sample("invitation"), {"program_about": text, "program_title": text}),
    ]
    return [
        replace(
            letter,
            recipient=replace(letter.recipient, name=text),
            coordinator=replace(letter.coordinator, name=text),
            cohort_title=text,
            organisation=text,
            items=(replace(letter.items[0], **edit),),
        )
        for letter, edit in edits
    ]


def tags(mail: WordedMail) -> list[str]:
    return re.findall(r"<(/?[a-z0-9]+)", mail.html)


@pytest.mark.parametrize("nasty", NASTY)
def test_nothing_that_people_write_has_an_effect(nasty: str) -> None:
    for letter, harmless in zip(everywhere(nasty), everywhere("Harmless words"), strict=True):
        mail = compose(letter)
        assert [tag for tag in tags(mail) if tag != "br"] == [tag for tag in tags(compose(harmless)) if tag != "br"]
        for target in re.findall(r'(?:href|src)="([^"]*)"', mail.html):
            assert "evil" not in target
        assert not re.search("[\ue000-\ue00f]", mail.text + mail.html + mail.subject)
        assert "49" not in mail.text


@pytest.mark.parametrize("words", ["Fish & chips <3", "5 > 4", 'it\'s "so"', "1. first\n2. second", "a_b_c * d"])
def test_free_text_is_passed_on_word_for_word(words: str) -> None:
    letter = sample("farewell")
    mail = compose(replace(letter, items=(replace(letter.items[0], notes=(("Grace", words),)),)))
    quoted = "\n".join(f"> {line}" for line in words.split("\n"))
    assert f"word for word\n\n{quoted}\n" in mail.text
    assert words in unescape(mail.html.replace("<br>", "\n"))


def test_a_name_is_no_link_for_programs_that_make_links_by_themselves() -> None:
    for written, shown in (
        ("evil.example", "evil. example"),
        ("https://evil.example/a.b", "https evil. example/a.b"),
        ("Ada www.evil.example", "Ada www. evil. example"),
        ("ada@evil.example", "ada @ evil. example"),
        ("J.R. Smith", "J.R. Smith"),
        ("St. John", "St. John"),
        ("Ada\u202egro.live", "Ada gro. live"),
    ):
        assert name(written) == shown


def test_controls_are_dropped_and_lines_kept() -> None:
    assert passage("a\r\nb\rc\u2028d\x00\x07e\t f") == "a\nb\nc\nde  f"


def test_only_an_address_can_be_the_target_of_a_link() -> None:
    inserts = Inserts()
    for bad in ("javascript:alert(1)", "ftp://x", 'https://x" onclick="y', "https://x y", "data:text/html,x"):
        with pytest.raises(BadInsert):
            inserts.put_url(bad)
    assert inserts.values == []
    assert inserts.put_url("https://example.org/ok")


def test_a_value_taken_apart_is_a_fault_and_not_a_hole() -> None:
    inserts = Inserts()
    place = inserts.put("Ada & Bo")
    assert fill(f"<p>{place}</p>", inserts.values, for_html) == "<p>Ada &amp; Bo</p>"
    for broken in (place[:1], place[1:], place[:-1]):
        with pytest.raises(BadInsert):
            fill(broken, inserts.values, plain)
    with pytest.raises(BadInsert):
        fill("\ue0007\ue001", inserts.values, plain)


def test_what_is_remembered_of_one_mail_is_never_said_in_another() -> None:
    letter = sample("invitation")
    for minutes in (45, 45.0, 50, 45):  # equal is not the same: they are written otherwise
        item = replace(letter.items[0], rhythm_minutes=minutes)
        for called in ("Ada", "Bo"):
            reader = replace(letter.recipient, name=f"{called} {minutes}", profile={})
            mail = compose(replace(letter, recipient=reader, items=(item,)))
            assert f"Hello {called}," in mail.text
            assert f"about {minutes} minutes" in mail.text
