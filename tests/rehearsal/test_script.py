"""Behaviour files: every fault at its place, and nothing is run."""

from __future__ import annotations

from pathlib import Path

import pytest

from program.faults import Faults
from program.loader import SHIPPED, Loaded, load_cohort
from rehearsal.script import load_behaviour


@pytest.fixture(scope="module")
def demo() -> Loaded:
    """The demo's cohort: every format, people d01 to d22."""
    return load_cohort(SHIPPED / "cohorts" / "demo.yaml")


FAULTS = {
    "an unknown person": ("people:\n  d99: {default: never}\n", "2:3", "no participant has the id `d99`"),
    "an unknown form": (
        "people:\n  d01: {checkin: never}\n",
        "2:9",
        "`checkin` is no form of the lifecycle. Did you mean",
    ),
    "an unknown question": (
        "people:\n  d01:\n    midpoint: {answers: {r_decid: end}}\n",
        "3:26",
        "no form has the question `r_decid`. Did you mean `r_decide`?",
    ),
    "an answer that the form refuses": (
        "people:\n  d01:\n    midpoint: {answers: {r_decide: maybe}}\n",
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
        "events: [{on: 2027-04-02, mentorship: m33, pause: 3w}]\n",
        "1:39",
        "no mentorship has the key `m33`. Did you mean `m03`?",
    ),
    "somebody else's leave": (
        "events: [{on: 2027-04-02, mentorship: m01, leave: d09}]\n",
        "1:51",
        "`d09` has no seat in m01. Write `d01` or `d02`.",
    ),
    "an event that does nothing": ("events: [{on: 2027-04-02, mentorship: m01}]\n", "1:10", "does exactly one thing"),
    "an event that does two things": (
        "events: [{on: 2027-04-02, mentorship: m01, nudge: true, resume: true}]\n",
        "1:10",
        "an event does exactly one thing, not `resume` and `nudge`",
    ),
    "a change of nobody": ("events: [{on: 2027-04-02, nudge: true}]\n", "1:10", "doesn't say which mentorship"),
    "an event in another century": (
        "events: [{on: 2072-04-02, mentorship: m01, nudge: true}]\n",
        "1:15",
        "2072-04-02 is nowhere near this cohort",
    ),
    "a seat given to nobody": (
        "events: [{on: 2027-04-02, mentorship: m01, replace: d02}]\n",
        "1:53",
        "it doesn't say who takes the seat",
    ),
    "a newcomer beside a pause": (
        "events: [{on: 2027-04-02, mentorship: m01, pause: 2w, newcomer: d09}]\n",
        "1:65",
        "`newcomer` means nothing here. Write it beside `replace`.",
    ),
    "a first day beside an extension": (
        "events: [{on: 2027-04-02, mentorship: m01, extend: 2w, from: 2027-04-09}]\n",
        "1:62",
        "`from` means nothing here. Write it beside `pause` or `pause_open`.",
    ),
    "a pause that begins before it is asked for": (
        "events: [{on: 2027-04-02, mentorship: m01, pause: 2w, from: 2027-03-09}]\n",
        "1:61",
        "the pause begins before it is asked for. Write 2027-04-02 or a later day.",
    ),
    "a newcomer who has the other seat": (
        "events: [{on: 2027-04-02, mentorship: m01, replace: d02, newcomer: d01}]\n",
        "1:68",
        "`d01` has a seat in m01 already",
    ),
    "a newcomer whom nobody knows": (
        "events: [{on: 2027-04-02, mentorship: m01, replace: d02, newcomer: d77}]\n",
        "1:68",
        "no participant has the id `d77`",
    ),
    "a longer pair": (
        "events: [{on: 2027-04-02, mentorship: m01, add: d09}]\n",
        "1:49",
        "m01 is no group. Write replace: ID with newcomer: ID",
    ),
    "days longer": (
        "events: [{on: 2027-04-02, mentorship: m01, extend: 10d}]\n",
        "1:52",
        "a mentorship is extended by whole weeks",
    ),
    "an end for no reason": (
        "events: [{on: 2027-04-02, mentorship: m01, end: no_falt}]\n",
        "1:49",
        "`no_falt` is no reason to end early. Did you mean `no_fault`?",
    ),
    "a move to nowhere": (
        "events: [{on: 2027-04-02, move: d01, zone: Europe/Berln}]\n",
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
    file.write_text("people:\n  d99: {default: never}\n  d01: {checkin: never}\nmix: {promt: 100%}\n")
    with pytest.raises(Faults) as found:
        load_behaviour(file, demo)
    assert len(found.value.faults) == 3


@pytest.mark.parametrize("shipped", sorted((SHIPPED / "people").glob("*.yaml")), ids=lambda path: path.stem)
def test_what_is_shipped_fits_the_demo(demo: Loaded, shipped: Path) -> None:
    load_behaviour(shipped, demo)
