"""Renders the coordinators' pages from `templates/coordinator`: everything is escaped, and a value that is missing
fails rather than showing nothing."""

from __future__ import annotations

from datetime import date, datetime
from hashlib import sha256
from typing import Any
from urllib.parse import quote

from starlette.responses import HTMLResponse

from lifecycle.local_time import zone as zone_of
from mail.compiled_templates import page_environment
from mail.dates import clock, day, listed, moment, whole_day
from operations.mentorships.labels import detail_words, in_words, next_words, phrase, step_name
from web.coordinator.words import Words
from web.rendering import STATIC, TEMPLATES, Pages

REPORT = TEMPLATES.parent / "reports" / "style.css"
OWN_TEMPLATES = TEMPLATES.parent / "coordinator"


class CoordinatorPages:
    """The templates of the coordinators' pages of one installation. Root and icon are the participants'."""

    def __init__(self, pages: Pages, words: Words) -> None:
        self.root = pages.root
        self.words = words
        self.css = pages.css + (STATIC / "coordinator.css").read_bytes() + REPORT.read_bytes()
        self._environment = page_environment(OWN_TEMPLATES, TEMPLATES)  # and what forms are made of
        self._environment.globals |= {
            "root": self.root,
            "css": sha256(self.css).hexdigest()[:12],
            "words": words,
        }
        self._environment.filters |= {
            "day": self._day,
            "whole_day": lambda on: whole_day(on, words.language),
            "moment": self._moment,
            "time": self._time,
            "full_moment": lambda at, zone: moment(at, zone, words.language),
            "listed": lambda names: listed(list(names), words.language),
            "id": lambda id_: quote(str(id_), safe="/"),
            "step": step_name,
            "next_step": next_words,
            "in_words": in_words,
            "in_pair": lambda id_: (id_, in_words(id_)),
            "step_pair": lambda id_: (id_, step_name(id_)),
            "same_pair": lambda id_: (id_, id_),
            "phrase": phrase,
            "detail": detail_words,
        }

    def page(self, name: str, status: int = 200, **context: Any) -> HTMLResponse:
        """A page made from the template of this name."""
        body = self._environment.get_template(name).render(**context)
        return HTMLResponse(body, status, {"content-language": self.words.language})

    def _day(self, on: date, this_year: int = 0) -> str:
        return day(on, self.words.language, this_year or on.year)

    def _time(self, at: datetime, zone: str) -> str:
        return clock(at.astimezone(zone_of(zone)).time(), self.words.language)

    def _moment(self, at: datetime, zone: str, this_year: int = 0) -> str:
        local = at.astimezone(zone_of(zone))
        return f"{self._day(local.date(), this_year)}, {clock(local.time(), self.words.language)}"
