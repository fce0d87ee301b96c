"""What the pages that show answers share: who reads."""

from __future__ import annotations

from operations.views.reader import PageReader
from web.coordinator.visit import Visit


def reader_of(visit: Visit) -> PageReader:
    """Who reads, as the views know them."""
    account = visit.account
    return PageReader(account.person, account.roles, administrator="administrator" in account.everywhere)
