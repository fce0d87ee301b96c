"""What every mail says, word for word, in every format and role.

The golden files are what a reviewer reads. After a change of wording run the suite with UPDATE_GOLDEN=1 and read
the difference.
"""

from __future__ import annotations

import os
import re
from dataclasses import replace
from datetime import date
from email import message_from_string, policy
from email.message import EmailMessage
from html import unescape
from pathlib import Path

import pytest

from mail import dates
from mail.compose import NothingToSay, compose
from mail.letters import ASKS, NAMES, Letter
from mail.preview import FORMATS, ROLES, letter_of, sample, sample_matter, sample_tasks, samples
from mail.wording import SHIPPED

GOLDEN = Path(__file__).parent / "golden"
ALL = {one.label: one.letter for one in samples()}


def same(name: str, found: str) -> None:
    path = GOLDEN / name
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(found, "utf-8")
    assert path.is_file(), f"no golden file {name}; run with UPDATE_GOLDEN=1 and read what it writes"
    assert found == path.read_text("utf-8"), f"{name} has other words now; if they are meant, UPDATE_GOLDEN=1"


def body_of(text: str) -> str:
    """The text part without what every mail has around it."""
    body = text.partition("Hello ")[2].partition("\n\n")[2]
    return body.partition("\n\n-- \n")[0].partition("\n\nWarm wishes")[0]


@pytest.mark.parametrize("name", NAMES)
def test_a_mail_says_this_in_every_format_and_role(name: str) -> None:
    said: dict[str, list[str]] = {}
    for label, letter in ALL.items():
        if letter.items[0].name == name:
            mail = compose(letter)
            heading = mail.text.split("\n")[3]
            said.setdefault(f"{mail.subject}\n[{heading}]\n\n{body_of(mail.text)}", []).append(label)
    same(f"{name}.txt", "\n\n\n".join(f"##### {', '.join(labels)}\n{words}" for words, labels in said.items()) + "\n")


def whole_mails() -> dict[str, Letter]:
    several = letter_of(
        sample_matter("midpoint"),
        sample_matter("check_in", "group", "mentor", kind="reminder"),
        sample_matter("get_going"),
    )
    return {
        "one-request": sample("check_in"),
        "a-reminder": sample("check_in", kind="reminder"),
        "several-matters": several,
        "several-tasks": sample_tasks(),
        "with-calendar": sample("agreement_concluded"),
        "to-a-coordinator": sample("task_opened"),
    }


@pytest.mark.parametrize("name", whole_mails())
def test_a_whole_mail_goes_over_the_wire_like_this(name: str) -> None:
    same(f"{name}.eml", compose(whole_mails()[name]).raw.replace("\r\n", "\n"))


def test_the_same_letter_gives_the_same_bytes() -> None:
    for letter in whole_mails().values():
        assert compose(letter).raw == compose(letter).raw


@pytest.mark.parametrize("name", NAMES)
def test_text_and_html_say_the_same(name: str) -> None:
    for letter in ALL.values():
        if letter.items[0].name == name:
            says_the_same(letter)


def says_the_same(letter: Letter) -> None:
    mail = compose(letter)
    page = re.sub(r"<head>.*?</head>|<div class=\"preheader\".*?</div>", "", mail.html, flags=re.S)
    links = {unescape(link) for link in re.findall(r'href="([^"]+)"', page)}
    text, shown = mail.text, unescape(re.sub(r"<span[^>]*>[^<]*</span>|<[^>]+>", " ", page))
    for link in sorted(links, key=len, reverse=True):
        assert link.removeprefix("mailto:") in text
        text, shown = text.replace(link, " "), shown.replace(link, " ")
    words = re.compile(r"[^\W\d]\w*")
    assert words.findall(shown) == words.findall(text)


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_left_over_from_a_template(name: str) -> None:
    for label, letter in ALL.items():
        if letter.items[0].name == name:
            mail = compose(letter)
            for rest in ("{{", "}}", "{%", "**", "None", "\ue000", "\ue001", "\ue002", "..", " ,", " ."):
                assert rest not in mail.text, f"{label}: {rest!r}"


@pytest.mark.parametrize("name", ["invitation", "agreement", "check_in", "midpoint", "closure"])
def test_the_last_reminder_reads_otherwise_than_the_first(name: str) -> None:
    for format_ in FORMATS:
        for role in ROLES[format_]:
            request, first, last = (
                body_of(compose(letter).text)
                for letter in (
                    sample(name, format_, role, kind="request"),
                    sample(name, format_, role, kind="reminder"),
                    sample(name, format_, role, kind="reminder", nth=2),
                )
            )
            assert len({request, first, last}) == 3


@pytest.mark.parametrize("name", ASKS)
def test_a_reminder_keeps_the_subject_of_its_request(name: str) -> None:
    asked, reminded = compose(sample(name)), compose(sample(name, kind="reminder"))
    assert reminded.subject == f"Reminder: {asked.subject}"


def test_several_matters_are_several_sections_oldest_first() -> None:
    mail = compose(whole_mails()["several-matters"])
    assert mail.subject == (
        "Halfway with Grace: how shall it go on? · Reminder: Check-in 1: how is it going with your group? · "
        "A small push for you and Grace"
    )
    headings = re.findall(r"<h([12])[^>]*>([^<]+)</h", mail.html)
    assert headings == [
        ("1", "3 things for you"),
        ("2", "You are halfway"),
        ("2", "Have you got a minute?"),
        ("2", "Shall we get you two going?"),
    ]
    assert mail.html.count('class="button-first"') == 2


def test_a_mail_of_several_matters_names_each_of_them() -> None:
    """A number says nothing, and "Meet your mentor, Grace – and 1 more" reads as two mentors."""
    mail = compose(letter_of(sample_matter("introduction"), sample_matter("agreement")))
    first, second = (compose(sample(name)).subject for name in ("introduction", "agreement"))
    assert mail.subject == f"{first} · {second}"
    assert f"\n\n- {first}\n- {second}\n\n" in mail.text
    named = re.findall(r'<ul class="contents".*?</ul>', mail.html, re.S)
    assert [unescape(one) for one in re.findall(r"<li[^>]*>([^<]+)</li>", named[0])] == [first, second]


def test_several_tasks_are_one_table_with_a_line_and_a_link_each() -> None:
    letter = sample_tasks("en", "stalled", "help", "midpoint")
    links = [f"https://mentoring.example.org/tasks/{nth}" for nth in range(3)]
    linked = replace(
        letter, items=tuple(replace(one, link=url) for one, url in zip(letter.items, links, strict=True))
    )
    mail = compose(linked)
    assert mail.subject == "3 tasks: m01, m02 and m03"
    [body] = re.findall(r"<tbody>(.*?)</tbody>", mail.html.partition("<main>")[2].partition("</main>")[0], re.S)
    rows = re.findall(r"<tr>(.*?)</tr>", body, re.S)
    assert len(rows) == 3
    assert [re.findall(r'href="([^"]+)"', row) for row in rows] == [[url] for url in links]
    lines = [one for one in mail.text.split("\n") if one.startswith("- ")]
    assert len(lines) == 3
    assert lines[0].startswith("- A mentorship has stalled · m01 · ")
    assert all(mail.text.count(url) == 1 for url in links)
    # Where there are no pages for coordinators, each line says how to see it.
    bare = replace(letter, items=tuple(replace(one, link="") for one in letter.items))
    assert "mentorship show spring/m01" in " ".join(compose(bare).text.split())


def test_the_task_to_match_is_of_the_open_call_and_of_no_mentorship() -> None:
    letter = sample_tasks("en", "match", "stalled", "safety")
    match, second, third = letter.items
    match = replace(match, mentorship="")
    mail = compose(replace(letter, items=(match, second)))
    assert mail.subject == "2 tasks: the open call and m02"
    assert "wait to be matched · the open call · " in mail.text
    mail = compose(replace(letter, items=(match, third)))
    assert mail.subject == "A report in Spring 2027 mentoring needs you today, and a task: the open call"


def test_a_table_of_tasks_says_nothing_of_a_report() -> None:
    mail = compose(sample_tasks("en", "stalled", "safety"))
    assert mail.subject == "A report in Spring 2027 mentoring needs you today, and a task: m01"
    assert "m02" not in mail.text + mail.html
    [line] = [one for one in mail.text.split("\n") if one.startswith("- ") and "report" in one]
    assert "today" in line


def test_tasks_among_other_matters_stand_together() -> None:
    tasks = sample_tasks("en", "stalled", "help").items
    paused = sample_matter("still_paused")
    mail = compose(letter_of(tasks[0], paused, tasks[1]))
    headings = [text for _, text in re.findall(r"<h([12])[^>]*>([^<]+)</h", mail.html)]
    assert headings == ["2 things for you", "2 tasks for you", "A pause without an end"]


def test_a_safety_mail_has_no_content() -> None:
    for name in ("task_opened", "task_repeated", "task_to_deputy"):
        letter = sample(name, task="safety")
        facts = letter.items[0].task
        assert facts is not None
        loud = replace(facts, reason="He threatened me.", about=("Grace Okafor", "Jonas Lindqvist"))
        mail = compose(replace(letter, items=(replace(letter.items[0], task=loud),)))
        for secret in ("threatened", "Grace", "Okafor", "Jonas", "Lindqvist", "m07"):
            assert secret not in mail.raw
        assert letter.items[0].link in mail.text


def test_contacts_and_certificate_stand_in_a_farewell_only_where_given() -> None:
    full, bare = compose(sample("farewell")), compose(sample("farewell", full=False))
    for words in ("Staying in touch", "grace.okafor@example.org", "Certificate", "word for word"):
        assert words in full.text
        assert words not in bare.text
    assert "> I will miss our Tuesdays." in full.text


def test_dates_are_the_readers_own_with_the_name_of_the_zone() -> None:
    letter = sample("agreement_concluded")
    there = replace(letter, recipient=replace(letter.recipient, zone="Pacific/Chatham"))
    text = " ".join(compose(there).text.split())
    assert "Monday, 1 March 2027, 21:45 Chatham Time" in text
    assert "Tuesday, 16:00 (United Kingdom Time)" in text
    assert "For you the first one is on Wednesday, 3 March 2027, 05:45 Chatham Time" in text


def test_dates_are_written_as_each_language_writes_them() -> None:
    on = date(2027, 3, 5)
    for language, this_year, next_year in (
        ("en", "Friday 5 March", "Friday, 5 March 2027"),
        ("en-US", "Friday, March 5", "Friday, March 5, 2027"),
        ("de", "Freitag, 5. März", "Freitag, 5. März 2027"),
        ("fr", "vendredi 5 mars", "vendredi 5 mars 2027"),
        ("ja", "3月5日 金曜日", "2027年3月5日金曜日"),
    ):
        assert (dates.day(on, language, 2027), dates.day(on, language, 2026)) == (this_year, next_year)


def test_one_person_is_greeted_by_the_name_they_go_by() -> None:
    letter = sample("check_in")
    for name, language, profile, greeting in (
        ("Ada Lovelace", "en", {}, "Ada"),
        ("Nguyễn Thị Minh", "vi", {}, "Nguyễn Thị Minh"),
        ("Dr Ada Lovelace", "en", {}, "Dr Ada Lovelace"),
        ("A. Lovelace", "en", {}, "A. Lovelace"),
        ("Lovelace, Ada", "en", {}, "Lovelace, Ada"),
        ("Cher", "en", {}, "Cher"),
        ("Alexander Smith", "en", {"called": "Sasha"}, "Sasha"),
    ):
        person = replace(letter.recipient, name=name, language=language, profile=profile)
        assert f"\nHello {greeting},\n" in compose(replace(letter, recipient=person)).text


def test_no_mail_is_clipped() -> None:
    for letter in ALL.values():
        assert len(compose(letter).html.encode()) < 102_000
    letter = sample("agreement_concluded")
    rows = tuple((f"Question {n}", "An answer of four hundred letters. " * 12) for n in range(30))
    long = replace(letter, items=(replace(letter.items[0], agreement=rows),))
    assert len(compose(long).html.encode()) < 102_000


def test_a_letter_without_matters_is_refused() -> None:
    with pytest.raises(NothingToSay):
        compose(replace(sample("check_in"), items=()))


def test_the_message_reads_back_as_it_was_composed() -> None:
    for letter in whole_mails().values():
        mail = compose(letter)
        read = message_from_string(mail.raw, EmailMessage, policy=policy.default)
        assert isinstance(read, EmailMessage)
        assert read["Subject"] == mail.subject
        parts = {part.get_content_type(): part for part in read.walk() if not part.is_multipart()}
        assert parts["text/plain"].get_content().replace("\r\n", "\n") == mail.text
        assert parts["text/html"].get_content().replace("\r\n", "\n") == mail.html
        assert not read.defects


@pytest.mark.parametrize("name", NAMES)
def test_one_mail_has_one_kind_of_quotes(name: str) -> None:
    straight = "It's \"just right\", and it doesn't hurt."
    item = replace(
        sample_matter(name), program_about=straight, first_meeting=straight, emergency=straight, guides=(straight,)
    )
    if item.task is not None:
        item = replace(item, task=replace(item.task, reason=straight))
    mail = compose(letter_of(item))
    # Commands are typed as they stand, and their quotes are straight.
    lines = [line for line in mail.text.splitlines() if not line.startswith("mentorship ")]
    assert not re.search(r"\w'\w|[\"]", "\n".join(lines)), lines


def test_no_mail_promises_that_one_click_is_enough() -> None:
    """A link opens a page, and only a button on it counts: mail scanners open every link."""
    said = {path.name for path in (SHIPPED / "en").glob("*.md") if "one click" in path.read_text("utf-8").lower()}
    assert said == set()


def test_what_a_person_is_called_keeps_its_apostrophe() -> None:
    letter = sample("introduction")
    [item] = letter.items
    partners = tuple(replace(one, name="Maeve O'Brien") for one in item.partners)
    text = compose(replace(letter, items=(replace(item, partners=partners),))).text
    assert "O'Brien" in text
    assert "O’Brien" not in text
