"""Behaviour files: every fault at its place, and nothing is run."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from program.faults import Faults
from program.loader import SHIPPED, Loaded, load_cohort
from rehearsal.script import load_behaviour


@pytest.fixture(scope="module")
def demo() -> Loaded:
    """The demo's cohort: people d13 to d22, and the applicants of its open call."""
    return load_cohort(SHIPPED / "cohorts" / "demo.yaml")


FAULTS = {
    "an unknown person": ("people:\n  d99: {default: never}\n", "2:3", "no participant has the id `d99`"),
    "an unknown form": (
        "people:\n  d19: {checkin: never}\n",
        "2:9",
        "`checkin` is no form of the lifecycle. Did you mean",
    ),
    "an answer in an application": (
        "people:\n  d19: {apply: {after: 2, answers: {unit: Digital}}}\n",
        "2:9",
        "what somebody writes into an application stands in the file of applicants. Take `answers` out.",
    ),
    "an unknown question": (
        "people:\n  d19:\n    midpoint: {answers: {r_decid: end}}\n",
        "3:26",
        "no form has the question `r_decid`. Did you mean `r_decide`?",
    ),
    "an answer that the form refuses": (
        "people:\n  d19:\n    midpoint: {answers: {r_decide: maybe}}\n",
        "3:36",
        "the form would refuse this answer to `r_decide` (one). Write `continue`",
    ),
    "an unknown profile": ("mix: {promt: 100%}\n", "1:7", "there is no profile `promt`. Did you mean `prompt`?"),
    "shares that don't add up": ("mix: {prompt: 60%, busy: 10%}\n", "1:6", "the shares add up to 70%"),
    "a decision that a task doesn't have": (
        "coordinator: {decisions: {stalled: wait}}\n",
        "1:36",
        "a task of kind stalled can't be decided `wait`. Write `noted`",
    ),
    "a change of an unknown mentorship": (
        "events: [{on: 2027-04-02, mentorship: m77, pause: 3w}]\n",
        "1:39",
        "no mentorship has the key `m77`. Did you mean `m07`?",
    ),
    "somebody else's leave": (
        "events: [{on: 2027-04-02, mentorship: m09, leave: d21}]\n",
        "1:51",
        "`d21` has no seat in m09. Write `d19` or `d20`.",
    ),
    "an event that does nothing": ("events: [{on: 2027-04-02, mentorship: m09}]\n", "1:10", "does exactly one thing"),
    "an event that does two things": (
        "events: [{on: 2027-04-02, mentorship: m09, nudge: true, resume: true}]\n",
        "1:10",
        "an event does exactly one thing, not `resume` and `nudge`",
    ),
    "a change of nobody": ("events: [{on: 2027-04-02, nudge: true}]\n", "1:10", "doesn't say which mentorship"),
    "an event in another century": (
        "events: [{on: 2072-04-02, mentorship: m09, nudge: true}]\n",
        "1:15",
        "2072-04-02 is nowhere near this cohort",
    ),
    "a seat given to nobody": (
        "events: [{on: 2027-04-02, mentorship: m09, replace: d20}]\n",
        "1:53",
        "it doesn't say who takes the seat",
    ),
    "a newcomer beside a pause": (
        "events: [{on: 2027-04-02, mentorship: m09, pause: 2w, newcomer: d21}]\n",
        "1:65",
        "`newcomer` means nothing here. Write it beside `replace`.",
    ),
    "a first day beside an extension": (
        "events: [{on: 2027-04-02, mentorship: m09, extend: 2w, from: 2027-04-09}]\n",
        "1:62",
        "`from` means nothing here. Write it beside `pause` or `pause_open`.",
    ),
    "a pause that begins before it is asked for": (
        "events: [{on: 2027-04-02, mentorship: m09, pause: 2w, from: 2027-03-09}]\n",
        "1:61",
        "the pause begins before it is asked for. Write 2027-04-02 or a later day.",
    ),
    "a newcomer who has the other seat": (
        "events: [{on: 2027-04-02, mentorship: m09, replace: d20, newcomer: d19}]\n",
        "1:68",
        "`d19` has a seat in m09 already",
    ),
    "a newcomer whom nobody knows": (
        "events: [{on: 2027-04-02, mentorship: m09, replace: d20, newcomer: d77}]\n",
        "1:68",
        "no participant has the id `d77`",
    ),
    "a longer pair": (
        "events: [{on: 2027-04-02, mentorship: m09, add: d21}]\n",
        "1:49",
        "m09 is no group. Write replace: ID with newcomer: ID",
    ),
    "days longer": (
        "events: [{on: 2027-04-02, mentorship: m09, extend: 10d}]\n",
        "1:52",
        "a mentorship is extended by whole weeks",
    ),
    "an end for no reason": (
        "events: [{on: 2027-04-02, mentorship: m09, end: no_falt}]\n",
        "1:49",
        "`no_falt` is no reason to end early. Did you mean `no_fault`?",
    ),
    "a move to nowhere": (
        "events: [{on: 2027-04-02, move: d19, zone: Europe/Berln}]\n",
        "1:44",
        "there is no time zone `Europe/Berln`. Did you mean `Europe/Berlin`",
    ),
    "an unknown key": ("peple: {}\n", "1:1", "Did you mean `people`?"),
}


@pytest.mark.parametrize(("text", "place", "words"), FAULTS.values(), ids=FAULTS.keys())
def test_a_fault_is_said_with_its_place(demo: Loaded, tmp_path: Path, text: str, place: str, words: str) -> None:
    file = tmp_path / "people.yaml"
    file.write_text(text)
    with pytest.raises(Faults) as found:
        load_behaviour(file, demo)
    said = str(found.value)
    assert f"{file}:{place}: " in said
    assert words in said


def test_all_faults_come_at_once(demo: Loaded, tmp_path: Path) -> None:
    file = tmp_path / "people.yaml"
    file.write_text("people:\n  d99: {default: never}\n  d19: {checkin: never}\nmix: {promt: 100%}\n")
    with pytest.raises(Faults) as found:
        load_behaviour(file, demo)
    assert len(found.value.faults) == 3


@pytest.mark.parametrize("shipped", sorted((SHIPPED / "people").glob("*.yaml")), ids=lambda path: path.stem)
def test_what_is_shipped_fits_the_demo(demo: Loaded, shipped: Path) -> None:
    with (SHIPPED / "cohorts" / "demo-people.csv").open(encoding="utf-8") as file:
        applicants = [row["id"] for row in csv.DictReader(file)]
    load_behaviour(shipped, demo, lambda _count: applicants)
