"""What single answers set off, and that nothing but decisions and flags comes out of reading them."""

from __future__ import annotations

from typing import Any

import pytest

from lifecycle import assessment
from lifecycle.findings import Signals
from program.models import Rules


@pytest.mark.parametrize(
    ("ask", "answers", "expected"),
    [
        ("invitation", {"accept": True}, Signals(accepted=True)),
        ("invitation", {"accept": False}, Signals(accepted=False)),
        ("invitation", {}, Signals()),
        ("check_in", {"accept": True}, Signals()),
        ("fit_check", {"f_fit": 2}, Signals(fit=True)),
        ("fit_check", {"f_fit": 3}, Signals()),
        ("fit_check", {"f_action": "someone_else", "f_fit": 5}, Signals(fit=True)),
        ("fit_check", {"f_action": "word"}, Signals(help=True)),
        ("fit_check", {"f_action": "nudge"}, Signals()),
        ("check_in", {"p_help": "yes"}, Signals(help=True)),
        ("check_in", {"p_help": "private"}, Signals(help=True)),
        ("check_in", {"p_help": "no"}, Signals()),
        ("midpoint", {"p_help": "safety"}, Signals(safety=True)),
        ("closure", {"p_help": "safety"}, Signals(safety=True)),
        ("are_you_there", {"state": "fine"}, Signals()),
        ("are_you_there", {"state": "stuck"}, Signals(help=True)),
        ("are_you_there", {"state": "stopped"}, Signals(stopped=True)),
    ],
)
def test_what_one_answer_sets_off_at_once(ask: str, answers: dict[str, Any], expected: Signals) -> None:
    assert assessment.signals(ask, answers) == expected


def test_the_thresholds_are_config() -> None:
    given = {"mia": ("mentor", {"m_load": 3, "p_open": 5}), "ned": ("mentee", {"p_open": 4})}
    assert not assessment.assess("check_in", given, Rules(), "one_to_one").low
    assert assessment.assess("check_in", given, Rules(low_score=3), "one_to_one").low
    assert not assessment.assess("check_in", given, Rules(), "one_to_one").differ
    assert assessment.assess("check_in", given, Rules(differ_by=1), "one_to_one").differ


def test_findings_hold_no_answer() -> None:
    words = {"p_word": "the secret", "p_help": "no", "p_useful": 1, "p_goal": "changed", "c_note": "the secret"}
    given = {"mia": ("mentor", words), "ned": ("mentee", words)}
    for ask in ("invitation", "fit_check", "check_in", "midpoint", "closure", "follow_up"):
        assert "secret" not in repr(assessment.assess(ask, given, Rules(), "one_to_one"))
        assert "secret" not in repr(assessment.signals(ask, words))


def test_no_answers_at_all_are_a_finding_too() -> None:
    found = assessment.assess("midpoint", {}, Rules(), "peer", [("pia", "peer"), ("pat", "peer")])
    assert (found.midpoint, found.answered) == ("are_you_there", ())
    assert not assessment.assess("check_in", {}, Rules(), "peer").no_meeting


@pytest.mark.parametrize(
    ("ask", "answers", "met"),
    [
        ("fit_check", {"f_contact": "met"}, True),
        ("fit_check", {"f_contact": "written"}, False),
        ("fit_check", {"p_met": "2"}, False),
        ("check_in", {"p_met": "2"}, True),
        ("check_in", {"p_met": "0"}, False),
        ("check_in", {}, False),
        ("midpoint", {"f_contact": "met"}, False),
    ],
)
def test_whether_an_answer_tells_of_a_meeting(ask: str, answers: dict[str, Any], met: bool) -> None:
    assert assessment.tells_of_meeting(ask, answers) is met
