"""Templates that coordinators edit: a fault is found by file and line, before anybody gets a mail."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from jinja2 import TemplateError

from mail.compose import Composer
from mail.preview import sample
from mail.template_check import check_templates, missing_templates
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


def test_a_mail_is_in_one_language_or_as_a_whole_in_english(folder: Path) -> None:
    german(folder)
    assert check_templates(folder) == []
    assert "get_going" in missing_templates(folder)["de"]
    assert not {"frame", "check_in"} & set(missing_templates(folder)["de"])
    assert missing_templates(folder)["en"] == ()
    composer = Composer(folder)
    letter = sample("check_in", language="de-AT")
    mail = composer.compose(letter)
    assert mail.subject == "Wie läuft es mit Grace?"
    assert "Guten Tag Jonas," in mail.text
    assert "Bis Montag, 22. März." in mail.text
    assert "Mitteleuropäische Zeit" in mail.text
    assert '<html lang="de" dir="ltr">' in mail.html
    assert "\r\nContent-Language: de\r\n" in mail.raw
    for items in (sample("get_going").items, (*letter.items, *sample("get_going").items)):
        english = composer.compose(replace(letter, items=items))
        assert set(re.findall(r'lang="(\w+)"', english.html)) == {"en"}
        assert "\r\nContent-Language: en\r\n" in english.raw
        assert "Send two dates" in english.text
        assert "Central European Time" in english.text
        for german_word in ("Guten Tag", "Bis Montag", "März", "Wie läuft es"):
            assert german_word not in english.text


def test_a_template_that_uses_shared_words_needs_those_of_its_language(folder: Path) -> None:
    german(folder)
    path = folder / "de" / "check_in.md"
    path.write_text(path.read_text("utf-8") + "Es dauert {{ words.takes(form_minutes) }}.\n", "utf-8")
    letter = sample("check_in", language="de")
    assert 'lang="en"' in Composer(folder).compose(letter).html
    assert "words" in missing_templates(folder)["de"]
    (folder / "de" / "words.md").write_text(
        "{% macro takes(minutes) -%}{{ minutes }} Minuten{%- endmacro %}\n", "utf-8"
    )
    mail = Composer(folder).compose(letter)
    assert "Es dauert 1.5 Minuten." in mail.text
    assert '<html lang="de"' in mail.html
    assert "words" not in missing_templates(folder)["de"]
    (folder / "de" / "words.md").write_text("{% macro other() -%}x{%- endmacro %}\n", "utf-8")
    assert [(Path(file).name, line) for file, line, _ in check_templates(folder)] == [("check_in.md", 8)]


def test_a_region_is_made_of_its_own_templates_and_of_its_language(folder: Path) -> None:
    german(folder)
    (folder / "de-AT").mkdir()
    frame = (folder / "de" / "frame.md").read_text("utf-8")
    (folder / "de-AT" / "frame.md").write_text(frame.replace("Guten Tag", "Grüß Gott"), "utf-8")
    mail = Composer(folder).compose(sample("check_in", language="de-AT"))
    assert "Grüß Gott Jonas" in mail.text
    assert mail.subject == "Wie läuft es mit Grace?"
    assert '<html lang="de-AT"' in mail.html
    assert "Guten Tag" in Composer(folder).compose(sample("check_in", language="de-CH")).text


def test_a_folder_of_templates_comes_before_another_file_by_file(tmp_path: Path) -> None:
    own = tmp_path / "own"
    (own / "en").mkdir(parents=True)
    shipped = (SHIPPED / "en" / "check_in.md").read_text("utf-8")
    (own / "en" / "check_in.md").write_text(shipped.replace("Check-in {{", "Our check-in {{"), "utf-8")
    (own / "layout.css").write_text(
        (SHIPPED / "layout.css").read_text("utf-8") + "\n.ours { color: #123456 }\n", "utf-8"
    )
    assert check_templates((own, SHIPPED)) == []
    mail = Composer((own, SHIPPED)).compose(sample("check_in"))
    assert mail.subject.startswith("Our check-in 1")
    assert (
        Composer((own, SHIPPED)).compose(sample("closure")).subject == Composer().compose(sample("closure")).subject
    )
    at = write(own / "en" / "check_in.md", "Our check-in", "{{ nothing }} check-in")
    [(file, line, problem)] = set(check_templates((own, SHIPPED)))
    assert (file, line) == (str(own / "en" / "check_in.md"), at)
    assert "nothing" in problem


def test_a_folder_that_is_named_after_no_language_is_a_fault(folder: Path) -> None:
    german(folder)
    (folder / "de").rename(folder / "deutsch")
    [(file, _, problem)] = check_templates(folder)
    assert file == str(folder / "deutsch")
    assert "did you mean de?" in problem


@pytest.mark.parametrize(
    ("content", "problem"), [(b"---\n" + b"x" * 200_000, "larger than 100 kB"), (b"---\nsubject: \xff", "not UTF-8")]
)
def test_a_template_that_is_no_text_or_too_large_is_a_fault(folder: Path, content: bytes, problem: str) -> None:
    (folder / "en" / "check_in.md").write_bytes(content)
    found = check_templates(folder)
    assert [(Path(file).name, problem in said) for file, _, said in found] == [("check_in.md", True)]


def test_an_unknown_language_reads_english() -> None:
    for language in ("xx", "", "../../etc", "en-US"):
        letter = sample("check_in")
        mail = Composer().compose(replace(letter, recipient=replace(letter.recipient, language=language)))
        assert mail.subject == "Check-in 1: how is it going with Grace?"


def test_a_program_writes_its_guide_in_markdown() -> None:
    letter = sample("introduction")
    guide = "# Begin\n\nRead [the page](https://example.org/guide) and <b>talk</b>.\n\n- one\n- two\n"
    mail = Composer().compose(replace(letter, items=(replace(letter.items[0], first_meeting=guide),)))
    assert 'href="https://example.org/guide"' in mail.html
    assert "&lt;b&gt;talk&lt;/b&gt;" in mail.html
    assert "\nBegin\n" in mail.text
    assert "the page (https://example.org/guide)" in mail.text
    assert "- one\n- two" in mail.text
