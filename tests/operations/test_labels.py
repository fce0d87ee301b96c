"""The words for what the engine calls by an id: all of them in one file, for pages and the command line."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import get_args

import pytest

from lifecycle.state import Phase, Standing
from lifecycle.tasks import KINDS
from mail.letters import NAMES
from operations.mentorships.labels import happening_words, in_words, labels, phrase, planned_words, step_words
from program.models import Format, Role
from store.reports.timeline import TimelineEntry

AT = datetime(2027, 3, 1, tzinfo=UTC)


def test_every_id_of_the_engine_has_its_words() -> None:
    known = {*get_args(Phase), *get_args(Standing), *get_args(Format), *get_args(Role), *KINDS}
    known |= {decision for _, decisions in KINDS.values() for decision in decisions}
    assert sorted(known - set(labels()["ids"])) == [], "give them words under `ids` in templates/words/labels.en.yaml"
    unnamed = sorted(set(NAMES) - set(labels()["steps"]))
    assert unnamed == [], "give these mails words under `steps` in templates/words/labels.en.yaml"


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        (TimelineEntry(AT, "mail", "check_in", number=2, kind="reminder"), "Reminder: Check-in 2"),
        (TimelineEntry(AT, "mail", "farewell", kind="notice"), "Mail: Farewell"),
        (TimelineEntry(AT, "dropped", "midpoint", detail="answered"), "Not sent any more: Midpoint (answered)"),
        (TimelineEntry(AT, "answer", "check_in", number=1), "Answer: Check-in 1"),
        (TimelineEntry(AT, "task_opened", "seat_empty"), "Task: seat empty"),
        (TimelineEntry(AT, "task_closed", "low_score", detail="check_in#1"), "Decided: low score (check-in 1)"),
        (TimelineEntry(AT, "event", "onboarded"), "Everybody has accepted"),
        (TimelineEntry(AT, "event", "of_a_later_version"), "Of a later version"),
    ],
)
def test_what_happened_is_one_line(entry: TimelineEntry, says: str) -> None:
    assert happening_words(entry) == says


def test_words_of_ids() -> None:
    assert (in_words("check_ins"), phrase("closure 1"), phrase("my_own_form")) == (
        "Check-ins",
        "closure",
        "my own form",
    )
    assert (step_words("check_in", 2), step_words("agreement")) == ("Check-in 2", "Agreement")
    assert planned_words("2027-03-01/2027-03-15") == "pause from 2027-03-01 until 2027-03-15"
    assert planned_words("2027-03-01/open") == "pause from 2027-03-01"
