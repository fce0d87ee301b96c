"""Inviting people in the text of a cohort's file: only lines are added, and the loader reads them."""

from __future__ import annotations

import pytest
from ruamel.yaml import YAML

from program.files.inviting import NoCall, invited_in, with_invited
from program.gathering import Apply

HEAD = "cohort: next  # a comment\napply:\n"
DATES = "  opens: 2028-01-01  # soon\n  closes: 2028-01-31\n"
PEOPLE = (('Ada "the first" Lind', "ada@example.org"), ("", "ben@example.org"))


@pytest.mark.parametrize(
    ("text", "before"),
    [
        (HEAD + DATES, []),
        (HEAD + "  # who\n" + DATES + "rest: 1\n", []),
        (HEAD + DATES + "  invited: []\nrest: 1\n", []),
        (HEAD + DATES + "  invited:\nrest: 1\n", []),
        (HEAD + DATES + "  invited:   # known\n    - Mia <mia@example.org>\nrest: 1", ["mia@example.org"]),
        (HEAD + DATES + "  invited:\n  - {name: Mia, email: Mia@example.org}\n", ["mia@example.org"]),
        (HEAD + DATES + "  invited: [mia@example.org, 'Bo <bo@example.org>']", ["mia@example.org", "bo@example.org"]),
    ],
)
def test_people_are_added_before_those_who_are_there(text: str, before: list[str]) -> None:
    assert invited_in(text) == set(before)
    after = with_invited(text, PEOPLE)
    apply = Apply.model_validate(YAML(typ="safe").load(after)["apply"])
    assert [one.email.lower() for one in apply.invited] == ["ada@example.org", "ben@example.org", *before]
    assert [one.name for one in apply.invited][:2] == ['Ada "the first" Lind', ""]
    assert "# a comment" in after
    kept = [line for line in text.splitlines() if "invited: [" not in line]
    assert [line for line in after.splitlines() if line in kept] == kept
    assert with_invited(text, ()) == text


@pytest.mark.parametrize("text", ["cohort: next\n", "apply:\n", "apply: {opens: 2028-01-01}\n", "a: [", "", "- a\n"])
def test_a_file_without_a_call_takes_nobody(text: str) -> None:
    with pytest.raises(NoCall, match="first"):
        with_invited(text, PEOPLE)
