"""Every fault of an open call in a cohort's file is found where it stands, says what is wrong, and what to write."""

# ruff: noqa: E501  (one fault a line reads as a table)
from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from program.faults import Faults
from program.loader import load_cohort
from testing.environments.config_files import spoil

TODAY = date(2026, 11, 22)
CALL = """\
cohort: c
title: A call
program: open-call
start: 2027-04-05
zone: Europe/Berlin
coordinators:
  - {id: c1, name: Konrad Achterberg, email: konrad@example.org}
apply:
  opens: 2027-01-11
  closes: 2027-01-31
  form: application
  roles: [mentor, mentee]
  domains: [example.org]
  limit: {mentor: 60}
  invited: [ada@example.org, "Grace Okafor <grace@example.org>"]
wishes:
  at_most: 3
  see: named
  opens: 2027-02-01
  closes: 2027-02-08
"""
DATE, LISTED = "Write year-month-day, such as 2027-03-01.", "lines that begin with `-`"

FAULTS = [
    # (what stood there, what stands there now with the place marked, the problem, the remedy)
    ("apply:\n", "§aply:\n", "unknown key `aply`", "mean `apply`?"),
    ("  opens: 2027-01-11", "  §open: 2027-01-11", "unknown key `open`", "mean `opens`?"),
    ("  opens: 2027-01-11\n", "", "`opens` is missing", "Add `opens: 2027-01-11`."),
    ("  opens: 2027-01-11", "  §opens:", "`opens` is empty", "Write a value"),
    ("opens: 2027-01-11", "opens: §tomorrow", "`tomorrow` is no date", DATE),
    ("opens: 2027-01-11", "opens: §2027-02-30", "`2027-02-30` is no date", DATE),
    ("closes: 2027-01-31", "closes: §[1]", "`closes` is no date", DATE),
    ("closes: 2027-01-31", "closes: §2027-01-10", "the call closes before it opens", "Write 2027-01-11 or a later date."),
    ("closes: 2027-01-31", "closes: §2027-04-05", "the call closes after the cohort starts", "a date before 2027-04-05"),
    ("form: application", "form: §aplication", "there is no form `aplication`", "mean `application`?"),
    ("form: application", "form: §5", "`form` is read as a number", "Put it in quotes"),
    ("form: application", "form: §closure", "the form `closure` does not ask as what somebody applies", "Add a question `role`"),
    ("form: application", "form: §closure", "`matching:` of the program reads `grade`, and the form `closure` does not ask it", "Add a question `grade`"),
    ("[mentor, mentee]", "[mentor, §mentees]", "`mentees` is no `roles`", "mean `mentee`?"),
    ("[mentor, mentee]", "[mentor, §peer]", "nobody can apply as `peer` here", "or add it to the question `role`"),
    ("[mentor, mentee]", "§mentor", "`roles` should be a list", LISTED),
    ("[example.org]", "[§example]", "`example` is no domain", "behind the @"),
    ("[example.org]", '[§"@example.org"]', "`@example.org` is no domain", "such as example.org"),
    ("[example.org]", "§example.org", "`domains` should be a list", LISTED),
    ("{mentor: 60}", "{mentor: §0}", "`0` is too small for `mentor`", "Write 1 or more."),
    ("{mentor: 60}", "{mentor: §many}", "`many` is no number", "whole number"),
    ("{mentor: 60}", "{mentor: §1.5}", "`1.5` is no number", "whole number"),
    ("{mentor: 60}", "{§mentors: 60}", "`mentors` is no key of `limit`", "mean `mentor`?"),
    ("{mentor: 60}", "{§both: 60}", "nobody can apply as `both` here", "Write `mentor` or `mentee`."),
    ("{mentor: 60}", "§60", "`limit` should hold keys", "keys below it"),
    ("[ada@example.org", "[§ada@", "this is no mail address", "somebody@example.org"),
    ("[ada@example.org", "[§5", "this is no address", "Write one such as somebody@example.org."),
    ("[ada@example.org", "[§{name: Ada}", "`email` is missing", "Add `email: somebody@example.org`."),
    ("[ada@example.org", "[{email: ada@example.org, §nme: Ada}", "unknown key `nme`", "mean `name`?"),
    ('"Grace Okafor <grace@example.org>"', "§ADA@example.org", "this address is invited twice, first in line 15", "Keep one"),
    ("[ada@example.org", "[§ada@other.org", "this address is of none of the `domains`", "Add its domain"),
    ('[ada@example.org, "Grace Okafor <grace@example.org>"]', "§ada@example.org", "`invited` should be a list", LISTED),
    ("  at_most: 3", "  §most: 3", "unknown key `most`", "mean `at_most`?"),
    ("at_most: 3", "at_most: §4", "`4` is too large for `at_most`", "Write 3 or less."),
    ("at_most: 3", "at_most: §0", "`0` is too small for `at_most`", "Write 1 or more."),
    ("at_most: 3", "at_most: §three", "`three` is no number", "whole number"),
    ("see: named", "see: §names", "`names` is no `see`", "mean `named`?"),
    ("opens: 2027-02-01", "opens: §soon", "`soon` is no date", DATE),
    ("opens: 2027-02-01", "opens: §2027-01-31", "wishes open before the call has closed", "a date after 2027-01-31"),
    ("closes: 2027-02-08", "closes: §8", "`8` is no date", DATE),
    ("closes: 2027-02-08", "closes: §2027-01-31", "wishes close before they open", "Write 2027-02-01 or later."),
    ("closes: 2027-02-08", "closes: §2027-04-05", "wishes close after the cohort starts", "a date before 2027-04-05"),
    (CALL[CALL.index("apply:") : CALL.index("wishes:")], "§", "there are wishes, and nobody can apply", "Write `apply:`"),
    (CALL[CALL.index("apply:") : CALL.index("wishes:")], "apply: §true\n", "`apply` should hold keys", "keys below it"),
    (CALL[CALL.index("wishes:") :], "wishes: §3\n", "`wishes` should hold keys", "keys below it"),
    ("program: open-call", "program: plain", "the program has no section `matching:` to find pairs by", "Write it in the program `plain`"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "problem", "remedy"), FAULTS, ids=[f"{new[:24]}-{what[:30]}" for _, new, what, _ in FAULTS]
)
def test_a_fault_of_a_call(tmp_path: Path, old: str, new: str, problem: str, remedy: str) -> None:
    place = None
    text = CALL.replace(old, new)
    if "§" in new:
        text, *place = spoil(CALL, old, new)
    cohort = laid(tmp_path, text)
    with pytest.raises(Faults) as raised:
        load_cohort(cohort, TODAY)
    found = [fault for fault in raised.value.faults if problem in fault.problem]
    assert len(found) == 1, raised.value.faults
    assert found[0].file == str(cohort)
    assert remedy in found[0].remedy
    if place is not None:
        assert [found[0].line, found[0].column] == place


def test_the_call_itself_has_no_fault(tmp_path: Path) -> None:
    assert load_cohort(laid(tmp_path, CALL), TODAY).application is not None


def laid(folder: Path, text: str) -> Path:
    """A cohort's file beside a program without matching."""
    for name, content in (
        ("programs/plain.yaml", "extends: formal\nprogram: plain\ntitle: Plain\nmatching: null\n"),
        ("cohorts/c.yaml", text),
    ):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(content, encoding="utf-8")
    return folder / "cohorts" / "c.yaml"
