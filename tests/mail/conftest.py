from testing.servers.browser import browser

__all__ = ["browser"]
