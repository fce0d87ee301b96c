"""Mails that come back: fetching, reading and acting on them."""
