"""A config folder of a test's own: a tiny cohort, program and forms that are fine until a test spoils them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

MARK = "§"
"""Stands in a spoilt text where the fault must be found; it is not written to the file."""

COHORT = """\
cohort: c
title: A cohort
program: tiny
start: 2027-03-01
zone: Europe/Berlin
holidays: [2027-03-26]
coordinators:
  - {id: c1, name: Konrad Achterberg, email: konrad@example.org}
participants:
  - id: p1
    name: Amelie Vossberg
    email: amelie@example.org
    mentees_at_most: 1
  - {id: p2, name: Deepak Raman, email: deepak@example.org, zone: Asia/Kolkata}
  - {id: p3, name: Caroline Sedgwick, email: caroline@example.org}
  - {id: p4, name: Jannis Tiedemann, email: jannis@example.org}
mentorships:
  - {key: m1, mentor: p1, mentee: p2}
  - {key: m2, mentor: p3, mentee: p4}
"""

PEOPLE = """\
id,name,email,zone,language,mentees_at_most,place
p1,Amelie Vossberg,amelie@example.org,,,1,Berlin
p2,"Raman, Deepak",deepak@example.org,Asia/Kolkata,,,
p3,Caroline Sedgwick,caroline@example.org,,,,
p4,Jannis Tiedemann,jannis@example.org,,de,,Kiel
"""

PAIRS = """\
key,program,mentor,mentees,peers,start
m1,,p1,p2,,
m2,,p3,p4,,2027-04-01
"""

PROGRAM = """\
program: tiny
title: A tiny program
length: 12w
letterbox:
  opens: "09:00"
  closes: "18:00"
  days: [mon, tue, wed, thu, fri]
phases:
  onboarding:
    invitation:
      opens: start - 21d
      reminders: [4d, 9d]
      closes: 14d
  expectations:
    agreement: null
    fit_check: null
  check_ins: null
  midpoint: null
  closure:
    follow_up: null
rules:
  due:
    silent: 4
forms:
  closure: closure
"""

INVITATION = """\
form: invitation
title: Invitation
who_sees: Coordinators.
questions:
  - id: accept
    type: yes_no
    label: Do you take part in {program}?
    required: true
    contented: true
  - id: i_goals
    type: text
    label: What for?
    roles: [mentee]
  - id: i_goals
    type: text
    label: What would you offer?
    roles: [mentor, peer]
"""

CLOSURE = """\
form: closure
title: Closure
who_sees: Coordinators.
questions:
  - {id: c_contact, type: one, label: In touch?, options: [
      {value: regularly, label: Yes}, {value: now_and_then, label: Now}, {value: close, label: No}]}
  - {id: c_note, type: text, label: A line}
  - id: c_give
    type: one
    label: Mentor?
    options: [{value: "yes", label: Yes}, {value: later, label: Later}, {value: "no", label: No}]
  - {id: c_again, type: one, label: Again?,
     options: [{value: "yes", label: Yes}, {value: later, label: Later}, {value: "no", label: No}]}
  - {id: c_follow, type: yes_no, label: Later?}
  - {id: c_nps, type: number, label: Recommend?, least: 0, most: 10}
  - id: p_help
    type: one
    label: Get in touch?
    options:
      - {value: "no", label: No}
      - {value: "yes", label: Yes}
      - {value: private, label: Private}
      - {value: safety, label: Safety}
    contented: "no"
  - id: goals
    type: group
    label: Goals
    most: 2
    fields:
      - {id: what, type: text, label: What, required: true}
      - {id: now, type: scale, label: Now}
    contented: [{what: A goal, now: 4}]
"""

ARE_YOU_THERE = """\
form: are_you_there
title: How is it going?
who_sees: Coordinators.
questions:
  - id: state
    type: one
    label: And?
    options: [{value: fine, label: Fine}, {value: stuck, label: Stuck}, {value: stopped, label: Stopped}]
"""

FILES = {
    "cohorts/c.yaml": COHORT,
    "programs/tiny.yaml": PROGRAM,
    "forms/invitation.yaml": INVITATION,
    "forms/closure.yaml": CLOSURE,
    "forms/are_you_there.yaml": ARE_YOU_THERE,
}

FROM_CSV = COHORT[: COHORT.index("participants:")] + "people: people.csv\npairs: pairs.csv\n"


def lay(folder: Path, changed: Mapping[str, str | bytes] | None = None) -> Path:
    """Write the config folder, with some files changed; the cohort's path."""
    for name, text in {**FILES, **(changed or {})}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode() if isinstance(text, str) else text)
    return folder / "cohorts" / "c.yaml"


def spoil(text: str, old: str, new: str) -> tuple[str, int, int]:
    """A text with its only `old` replaced by `new`; the line and column of the mark in it, from 1."""
    assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in the text"
    spoilt = text.replace(old, new)
    before, mark, after = spoilt.partition(MARK)
    assert mark, "the new text must say where the fault is"
    return before + after, before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1
