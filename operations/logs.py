"""Structured logs with ids; never a name, an address, an answer or a token."""

from __future__ import annotations

import logging
import sys

import structlog


def set_up_logs(*, json: bool | None = None, level: int = logging.INFO) -> None:
    """Log to standard error: as JSON lines, or readable where a person looks on (the default decides)."""
    as_json = not sys.stderr.isatty() if json is None else json
    renderer = structlog.processors.JSONRenderer() if as_json else structlog.dev.ConsoleRenderer()
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        # Looked up anew each time: whoever redirects standard error later gets the logs too.
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
    )
    logging.basicConfig(
        level=max(level, logging.WARNING), stream=sys.stderr, format="%(levelname)s %(name)s %(message)s"
    )
