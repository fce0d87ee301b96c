"""Fixtures of the tests of reports."""

from __future__ import annotations

from testing.servers.browser import browser

__all__ = ["browser"]
