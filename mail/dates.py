"""Dates, times and zones in the reader's language. Knows no wording of its own beyond what CLDR says."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time
from functools import lru_cache
from zoneinfo import ZoneInfo

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_skeleton, format_time, get_day_names, get_timezone_name
from babel.lists import format_list

from program.models import WEEKDAYS

_NEUTRAL = {"en": "en_GB"}
"""A language alone is read as American by CLDR; the shipped English is not."""


@lru_cache(maxsize=64)
def locale_of(language: str) -> Locale:
    """The CLDR locale of a language tag such as `en` or `pt-BR`; English where CLDR knows it not."""
    tag = language.replace("-", "_")
    try:
        return Locale.parse(_NEUTRAL.get(tag, tag))
    except (ValueError, UnknownLocaleError):
        return Locale.parse("en_GB")


@lru_cache(maxsize=4096)
def day(on: date, language: str, this_year: int) -> str:
    """`Friday, 5 March`, with the year where it is another than `this_year`."""
    locale = locale_of(language)
    if on.year != this_year:
        return format_date(on, "full", locale=locale)
    if "MMMMEEEEd" in locale.datetime_skeletons:
        return format_skeleton("MMMMEEEEd", on, locale=locale)
    # Where CLDR has no full date without a year, the weekday is put where the full date has it.
    pattern = str(locale.date_formats["full"])
    weekday = format_date(on, "EEEE", locale=locale)
    month = format_skeleton("MMMMd", on, locale=locale)
    if pattern.startswith("EEEE"):
        return f"{weekday}{', ' if pattern.startswith('EEEE,') else ' '}{month}"
    return f"{month} {weekday}"


@lru_cache(maxsize=4096)
def whole_day(on: date, language: str) -> str:
    """`5 March 2027`."""
    return format_date(on, "long", locale=locale_of(language))


@lru_cache(maxsize=4096)
def clock(at: time, language: str) -> str:
    """`16:00`."""
    return format_time(at, "short", locale=locale_of(language))


@lru_cache(maxsize=1024)
def zone_name(zone: str, language: str) -> str:
    """`Central European Time`; the city where the language has no name for the zone."""
    if zone in ("UTC", "Etc/UTC", "Etc/GMT"):
        return "UTC"
    name = get_timezone_name(ZoneInfo(zone), locale=locale_of(language))
    return zone.rsplit("/", 1)[-1].replace("_", " ") if "(" in name else name


def moment(at: datetime, zone: str, language: str) -> str:
    """`Monday, 1 March 2027, 09:00 Central European Time`: an instant in a zone, with the zone's name."""
    local = at.astimezone(ZoneInfo(zone))
    return f"{_full_day(local.date(), language)}, {clock(local.time(), language)} {zone_name(zone, language)}"


@lru_cache(maxsize=4096)
def _full_day(on: date, language: str) -> str:
    return format_date(on, "full", locale=locale_of(language))


@lru_cache(maxsize=256)
def weekday_name(weekday: str, language: str) -> str:
    """`Tuesday`, for `tue`."""
    return get_day_names("wide", locale=locale_of(language))[WEEKDAYS.index(weekday)]  # type: ignore[arg-type]


def listed(names: Sequence[str], language: str) -> str:
    """`Ada, Bo and Cy`."""
    if len(names) < 2:
        return names[0] if names else ""
    return format_list(list(names), locale=locale_of(language))


def direction(language: str) -> str:
    """`ltr` or `rtl`."""
    return locale_of(language).text_direction


def language_name(code: str) -> str:
    """The English name of a language: `en` is English; the code itself where nobody knows it."""
    try:
        return Locale.parse(code.replace("-", "_")).get_display_name("en") or code
    except (ValueError, LookupError):
        return code
