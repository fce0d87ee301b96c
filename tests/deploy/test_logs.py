"""Logs: one JSON object a line with ids, those of libraries and of Temporal's SDK too, and nobody's words in them."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from runtime.logs import set_up_logs

ANSWER = "I'd rather not say this to anybody"


@pytest.fixture
def _logging_of_its_own() -> Iterator[None]:
    """The root logger as in a process of its own, without what pytest has put there."""
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    root.handlers = []
    set_up_logs(json=True)
    yield
    root.handlers = handlers
    root.setLevel(level)


def said(capsys: pytest.CaptureFixture[str]) -> dict[str, object]:
    """The one line that was logged."""
    [line] = capsys.readouterr().err.splitlines()
    assert ANSWER not in line
    return json.loads(line)


def fail() -> None:
    """Something goes wrong, and its words hold an answer."""
    try:
        raise ValueError(ANSWER)
    except ValueError as cause:
        raise RuntimeError(f"can't read {ANSWER}") from cause


@pytest.mark.usefixtures("_logging_of_its_own")
def test_of_an_error_the_kind_and_the_place_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    try:
        fail()
    except RuntimeError:
        structlog.get_logger("ours").exception("it_failed", relay="r1")
    line = said(capsys)
    assert (line["event"], line["relay"], line["level"]) == ("it_failed", "r1", "error")
    assert line["failure"] == "RuntimeError < ValueError"
    assert str(line["where"]).startswith("tests/deploy/test_logs.py:")
    assert str(line["where"]).endswith(" in fail")


@pytest.mark.usefixtures("_logging_of_its_own")
def test_a_line_of_the_sdk_has_its_ids_in_fields(capsys: pytest.CaptureFixture[str]) -> None:
    """As `temporalio.activity` logs an activity that failed."""
    details = {
        "workflow_id": "postmaster/0",
        "run_id": "r",
        "activity_type": "deliver",
        "attempt": 3,
        "namespace": "n",
    }
    try:
        fail()
    except RuntimeError:
        logging.getLogger("temporalio.activity").warning(
            f"Completing activity as failed ({details!r})", exc_info=True, extra={"temporal_activity": details}
        )
    line = said(capsys)
    assert line["event"] == "Completing activity as failed"
    assert (line["logger"], line["level"]) == ("temporalio.activity", "warning")
    assert (line["workflow_id"], line["activity_type"], line["attempt"]) == ("postmaster/0", "deliver", 3)
    assert "namespace" not in line
    assert line["failure"] == "RuntimeError < ValueError"


@pytest.mark.usefixtures("_logging_of_its_own")
def test_what_a_library_writes_below_its_first_line_is_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    """As asyncio logs an exception that nobody looked at."""
    logging.getLogger("asyncio").error("Task exception was never retrieved\nfuture: %s", ValueError(ANSWER))
    assert said(capsys)["event"] == "Task exception was never retrieved"
    logging.getLogger("asyncio").info("not worth a line")
    assert capsys.readouterr().err == ""
