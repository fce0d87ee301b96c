"""Fixtures of the rehearsal's tests; the season is played once a run, for the tests of the workflows too."""

from __future__ import annotations

from testing.servers.browser import browser
from tests.workflows.conftest import season

__all__ = ["browser", "season"]
