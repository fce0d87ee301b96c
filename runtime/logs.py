"""Structured logs with ids; never a name, an address, an answer or a token.

Everything that is logged in a process goes the same way, that of libraries and of Temporal's SDK included: one line
each, with the ids of the workflow or activity that it is about. Of an error only its kind and its place are told,
since its words may hold anything.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import structlog
from structlog.typing import EventDict

from activities.error_description import kind_of, place_of

IDS = {
    "temporal_workflow": ("workflow_id", "run_id", "workflow_type", "attempt"),
    "temporal_activity": ("workflow_id", "run_id", "activity_id", "activity_type", "attempt"),
    "round": ("shard", "sent", "dropped", "held", "deferred", "refused", "ambiguous", "next_at", "trouble"),
}
"""Extra fields of the SDK or of delivery that a log line keeps."""


def set_up_logs(*, json: bool | None = None, level: int = logging.INFO) -> None:
    """Log to standard error: as JSON lines, or as readable text in a terminal (the default decides)."""
    as_json = not sys.stderr.isatty() if json is None else json
    renderer: Any = structlog.processors.JSONRenderer() if as_json else structlog.dev.ConsoleRenderer()
    before: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _kind_and_place,
    ]
    structlog.configure(
        processors=[*before, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        # Looked up each time, so that a later redirection of standard error gets the logs too.
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
    )
    handler = logging.StreamHandler(_StandardError())
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, _of_library, *before],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    logging.basicConfig(level=max(level, logging.WARNING), handlers=[handler])
    logging.getLogger("mentorship").setLevel(level)


class _StandardError:
    """Standard error, wherever it leads at the moment."""

    def write(self, text: str) -> int:
        return sys.stderr.write(text)

    def flush(self) -> None:
        sys.stderr.flush()


def _of_library(_logger: Any, _name: str, event: EventDict) -> EventDict:
    """One line, with ids in fields of their own."""
    # The SDK writes what it knows behind its words as well; asyncio puts an error's words in the lines below.
    event["event"] = str(event["event"]).partition("\n")[0].partition(" ({'")[0]
    record = event["_record"]
    for extra, names in IDS.items():
        known = getattr(record, extra, None)
        if isinstance(known, Mapping):
            event.update({name: _plain(known[name]) for name in names if name in known})
    return event


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else value


def _kind_and_place(_logger: Any, _name: str, event: EventDict) -> EventDict:
    """Replaces the traceback by the kinds of the errors, cause by cause, and the place."""
    found: Any = event.pop("exc_info", None)
    if found is True:
        found = sys.exc_info()
    error = found[1] if isinstance(found, tuple) else found
    if isinstance(error, BaseException):
        event["failure"] = kind_of(error)
        event["where"] = place_of(error)
    return event
