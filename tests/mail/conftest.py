from testing.browser import browser

__all__ = ["browser"]
