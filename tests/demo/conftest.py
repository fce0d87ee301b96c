"""The browser that looks at the inbox."""

from __future__ import annotations

from testing.servers.browser import browser

__all__ = ["browser"]
