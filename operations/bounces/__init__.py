"""Mails that come back: fetch, read and act on them."""
