"""Templates that coordinators edit: a fault is found by file and line, before anybody gets a mail."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from jinja2 import TemplateError

from mail.compose import Composer
from mail.preview import check_templates, sample
from mail.wording import SHIPPED


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(SHIPPED, tmp_path / "mail"))


def write(path: Path, old: str, new: str) -> int:
    """Change a template; the line that the change is on."""
    text = path.read_text("utf-8")
    assert text.count(old) >= 1
    path.write_text(text.replace(old, new, 1), "utf-8")
    return text[: text.index(old)].count("\n") + 1


def test_the_shipped_templates_have_no_fault() -> None:
    assert check_templates() == []


Fault = tuple[str, str, str, str]
"""File, what stands in it, what is written instead, what the message says."""

FAULTS: dict[str, tuple[Fault, ...]] = {
    "words that no letter has": (
        ("check_in.md", "Your view of the group", "{{ only_in_groups }} Your view of the group", "only_in_groups"),
        ("closure.md", "That happens", "{{ only_early }} That happens", "only_early"),
        ("midpoint.md", "Halfway with", "{{ in_subject }} Halfway with", "in_subject"),
        ("partner_left.md", "{{ about.name }}{% else", "{{ about.nam }}{% else", "nam"),
        ("not_starting.md", "{{ coordinator.name }}", "{{ ''.__class__.__mro__ }}", "__class__"),
    ),
    "what Jinja or YAML can not read": (
        ("check_in.md", "A few ticks are all", "{% iff %}A few ticks are all", "iff"),
        ("fit_check.md", "{% if format ==", "{% if format = =", "expected"),
        ("cancelled.md", "preheader:", "preheding:", "'preheding'"),
        ("not_starting.md", "preheader:", "more: x\npreheader:", "'more'"),
    ),
    "shared words": (("words.md", "about a minute{%", "{{ in_words }}{%", "in_words"),),
}


@pytest.mark.parametrize("faults", FAULTS.values(), ids=FAULTS)
def test_every_fault_is_named_with_its_line(folder: Path, faults: tuple[Fault, ...]) -> None:
    lines = {file: write(folder / "en" / file, old, new) for file, old, new, _ in faults}
    found = check_templates(folder)
    for file, _, _, said in faults:
        of_file = [(line, problem) for place, line, problem in found if place == str(folder / "en" / file)]
        assert of_file, f"the fault in {file} was not found"
        for line, problem in of_file:
            assert line == lines[file]
            assert said in problem
    assert {Path(place).name for place, _, _ in found} == set(lines)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("{{ coordinator.name }}", "{{ coordinator.name[1:] }}", "whole values"),
        ("preheader: It", "preheader: [It", "no YAML"),
        ("subject: Your", "subjekt: Your", "'subjekt'"),
        ("---\nsubject", "subject", "begins with ---"),
        ("heading: Your mentorship won’t start", "heading: 7", "quotes"),
    ],
)
def test_a_template_is_refused_with_what_to_do(folder: Path, old: str, new: str, said: str) -> None:
    write(folder / "en" / "not_starting.md", old, new)
    with pytest.raises(ValueError, match=said):
        Composer(folder).compose(sample("not_starting"))


ESCAPES = (
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "{{ me.called.__init__.__globals__ }}",
    "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
    "{{ words.check.__globals__ }}",
    "{{ self.__init__.__globals__ }}",
    "{{ '{0.__class__.__init__.__globals__}'.format(me) }}",
    "{{ ''['__cla' ~ 'ss__'] }}",
    "{{ (me | attr('__class__')).x }}",
    "{{ config.secret }}",
    "{% include '../../../../../../etc/hostname' %}",
    "{% include '/etc/hostname' %}",
    "{% import '../../../worker.py' as worker %}",
    "{{ range(10 ** 9) | list }}",
    "{% set _ = [].append(1) %}",
)
"""Ways out of a template, or of its share of the machine."""


@pytest.mark.parametrize("escape", ESCAPES)
def test_a_template_can_not_reach_beyond_its_letter(folder: Path, escape: str) -> None:
    """Neither in its body nor in a short text; `mentorship validate` finds the same, as above."""
    path = folder / "en" / "not_starting.md"
    text = path.read_text("utf-8")
    subject = text.partition("\nsubject: ")[2].partition("\n")[0]
    for changed in (f"{text}\n{escape}\n", text.replace(subject, f'"{escape}"', 1)):
        assert changed != text
        path.write_text(changed, "utf-8")
        with pytest.raises((TemplateError, OverflowError)):
            Composer(folder).compose(sample("not_starting"))


def test_a_template_that_is_missing_or_that_no_mail_uses_is_a_fault(folder: Path) -> None:
    (folder / "en" / "check_in.md").rename(folder / "en" / "checkin.md")
    found = {(Path(place).name, problem.split(";")[0]) for place, _, problem in check_templates(folder)}
    assert found == {("checkin.md", "no mail has this name"), ("check_in.md", "there is no template check_in.md")}


def german(folder: Path) -> None:
    (folder / "de").mkdir()
    (folder / "de" / "frame.md").write_text(
        "---\ngreeting: Guten Tag {{ me.called }},\nseveral: '{{ count }} Dinge für Sie'\n"
        "more: '{{ subject }} und {{ count - 1 }} mehr'\naddress: 'Sonst hier:'\nclosing: ''\n---\nFragen?\n",
        "utf-8",
    )
    (folder / "de" / "check_in.md").write_text(
        "---\nsubject: Wie läuft es mit {{ names }}?\npreheader: Kurz\nheading: Wie läuft es?\n"
        "button: Zum Formular\n---\nBis **{{ closes }}**.\n",
        "utf-8",
    )


def test_a_language_speaks_for_itself_and_falls_back_to_english(folder: Path) -> None:
    german(folder)
    assert check_templates(folder) == []
    composer = Composer(folder)
    letter = sample("check_in", language="de-AT")
    mail = composer.compose(letter)
    assert mail.subject == "Wie läuft es mit Grace?"
    assert "Guten Tag Jonas," in mail.text
    assert "Bis Montag, 22. März." in mail.text
    assert "Mitteleuropäische Zeit" in mail.text
    assert '<html lang="de" dir="ltr">' in mail.html
    assert "\r\nContent-Language: de\r\n" in mail.raw
    english = composer.compose(replace(letter, matters=sample("get_going").matters))
    assert '<html lang="de"' in english.html
    assert 'lang="en"' in english.html
    assert "Guten Tag" in english.text
    assert "Send two dates" in english.text


def test_an_unknown_language_reads_english() -> None:
    for language in ("xx", "", "../../etc", "en-US"):
        letter = sample("check_in")
        mail = Composer().compose(replace(letter, recipient=replace(letter.recipient, language=language)))
        assert mail.subject == "Check-in 1: how is it going with Grace?"


def test_a_program_writes_its_guide_in_markdown() -> None:
    letter = sample("introduction")
    guide = "# Begin\n\nRead [the page](https://example.org/guide) and <b>talk</b>.\n\n- one\n- two\n"
    mail = Composer().compose(replace(letter, matters=(replace(letter.matters[0], first_meeting=guide),)))
    assert 'href="https://example.org/guide"' in mail.html
    assert "&lt;b&gt;talk&lt;/b&gt;" in mail.html
    assert "\nBegin\n" in mail.text
    assert "the page (https://example.org/guide)" in mail.text
    assert "- one\n- two" in mail.text
