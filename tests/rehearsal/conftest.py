"""Fixtures of the rehearsal's tests."""

from tests.browser import browser

__all__ = ["browser"]
