"""Templates that a cohort has of its own: what they may do, and how a mail takes them."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import pytest

from mail.compose import Composer
from mail.own_templates import BYTES_AT_MOST, SHARED, OwnTemplates, not_allowed
from mail.preview import EDITABLE, letter_of, sample_matter, sample_tasks, with_own
from mail.template_check import check_templates
from mail.wording import SHIPPED
from testing.cpu_budget import within

FRONT = "---\nsubject: Ours\npreheader: Soon\nheading: Hello\n---\n"


def own(**texts: str) -> OwnTemplates:
    """Templates in English, by the name of the mail."""
    return OwnTemplates.of({f"en/{name}": text for name, text in texts.items()})


@pytest.mark.parametrize(
    "body",
    [
        "{% macro x() %}a{% endmacro %}",
        "{{ 10 ** 9 }}",
        "{{ 'a' * 9 }}",
        "{{ 'a' ~ 'b' }}",
        "{{ names + names }}",
        "{% set a = 'a' %}",
        "{% set a %}b{% endset %}{% set c %}{{ a }}{{ a }}{% endset %}",
        "{% for n in range(9) %}a{% endfor %}",
        "{% for n in 'abc' %}a{% endfor %}",
        "{% for a in partners %}{% for b in partners %}{% for c in partners %}x{% endfor %}{% endfor %}{% endfor %}",
        "{% for a in partners recursive %}{{ loop(a) }}{% endfor %}",
        "{% set a %}b{% endset %}{% for n in a %}x{% endfor %}",
        "{{ names | center(99999) }}",
        "{{ lipsum(9) }}",
        "{{ words.whom.__globals__() }}{{ cycler('a') }}",
        "{% include 'words.md' %}",
        "{% import 'words.md' as other %}",
        "{{ [1, 2] }}",
    ],
)
def test_a_template_of_a_cohort_computes_nothing(body: str) -> None:
    found = list(not_allowed(f"{FRONT}\n{body}"))
    assert found
    assert {line for line, _ in found} == {7}
    [(file, line, _), *_] = check_templates(own=own(check_in=f"{FRONT}\n{body}"))
    assert (file, line) == ("mail/en/check_in.md", 7)


@pytest.mark.parametrize(
    "body",
    [
        "{% for a in names %}" * 400 + "{% endfor %}" * 400,
        "{% if names %}" * 600 + "{% endif %}" * 600,
        "{% for a in names %}{% if a %}" * 250 + "{% endif %}{% endfor %}" * 250,
        "{{ " + "(" * 9_000,
        "{{ " + "not " * 4_000 + "names }}",
        "{{ names" + ".x" * 9_000 + " }}",
        "{{ names" + "[0" * 9_000,
        "{{ names" + " or names" * 2_000 + " }}",
        "{{ names if " * 1_500,
        "{% if names %}" * 110 + "{% endif %}" * 110,
        "{{ " + "not " * 200 + "names }}",
        "{{ " + "names if names else " * 300 + "names }}",
        "{{" * 9_000,
        "{#" * 9_000,
        "{% set a %}" * 700 + "{% endset %}" * 700,
    ],
)
def test_no_template_takes_long_to_be_refused_however_deep_it_is(body: str) -> None:
    template = f"{FRONT}\n{body}"
    assert len(template) <= BYTES_AT_MOST
    began = time.process_time()
    assert check_templates(own=own(check_in=template))
    assert within(time.process_time() - began, 1), "seconds of CPU"


def test_everything_that_ships_may_be_a_cohorts_own() -> None:
    texts = {f"en/{name}": (SHIPPED / "en" / f"{name}.md").read_text("utf-8") for name in EDITABLE}
    assert [found for text in texts.values() for found in not_allowed(text)] == []
    assert check_templates(own=OwnTemplates.of(texts)) == []


@pytest.mark.parametrize(
    ("name", "text", "line", "problem"),
    [
        ("en/check_in", f"{FRONT}\nDear {{{{ nams }}}}", 7, "'nams' is undefined"),
        ("en/check_in", f"{FRONT}\n{{% if names %}}", 7, "end of template"),
        ("en/check_in", FRONT.replace("heading: Hello\n", ""), 1, "lacks 'heading'"),
        ("en/check_in", FRONT + "a" * BYTES_AT_MOST, 1, "larger than 20 kB"),
        ("en/words", "{% macro whom() %}{% endmacro %}", 1, "no mail has this name"),
        ("en/chek_in", FRONT, 1, "no mail has this name"),
        ("../check_in", FRONT, 1, "no mail has this name"),
        ("de/check_in", f"{FRONT}\n{{{{ nams.x }}}}", 0, ""),
    ],
)
def test_a_fault_has_its_line(name: str, text: str, line: int, problem: str) -> None:
    found = check_templates(own=OwnTemplates.of({name: text}))
    if not problem:
        assert found == [], "without a frame in German, the mail is in English, and this text is never used"
        return
    assert found
    assert all(file == f"mail/{name}.md" for file, *_ in found)
    assert found[0][1] == line
    assert problem in found[0][2]


def test_each_item_has_the_words_of_its_own_cohort() -> None:
    ours, theirs = own(check_in=f"{FRONT}\nOur words."), own(check_in=f"{FRONT}\nTheir words.")
    item = sample_matter("check_in")
    letter = letter_of(replace(item, own=ours), replace(item, key="b", own=theirs), replace(item, key="c"))
    text = Composer().compose(letter).text
    assert text.index("Our words.") < text.index("Their words.") < text.index("A few ticks")
    assert OwnTemplates.of({}) is SHARED
    assert ours == own(check_in=f"{FRONT}\nOur words.")


def test_the_frame_and_the_table_of_tasks_can_be_the_cohorts() -> None:
    frame = (SHIPPED / "en" / "frame.md").read_text("utf-8")
    tasks = (SHIPPED / "en" / "tasks.md").read_text("utf-8")
    ours = own(frame=frame.replace("\n---\n", "\n---\nOur footer.\n\n", 1), tasks=tasks + "\nOur tasks.\n")
    assert check_templates(own=ours) == []
    text = Composer().compose(with_own(sample_tasks(), ours)).text
    assert "Our footer." in text
    assert "Our tasks." in text


def test_a_mail_is_in_the_language_in_which_all_of_its_items_are(tmp_path: Path) -> None:
    german = OwnTemplates.of(
        {
            "de/check_in": FRONT.replace("Ours", "Unsere"),
            "de/frame": (SHIPPED / "en" / "frame.md").read_text("utf-8"),
        }
    )
    composer = Composer()
    assert composer.language_of("de", [("check_in", german)]) == "de"
    assert composer.language_of("de", [("check_in", german), ("check_in", SHARED)]) == "en"
    assert composer.language_of("de", [("closure", german)]) == "en"
    letter = with_own(letter_of(sample_matter("check_in"), language="de"), german)
    assert composer.compose(letter).subject == "Unsere"
