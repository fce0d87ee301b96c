"""The meeting series of an agreement as a calendar invitation (RFC 5545, RFC 5546).

A series needs its zone, since it keeps its wall time when clocks change. icalendar writes the onset of a jump
forward in the new offset (an hour late); `onset_of` asks the zone itself and takes the right one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from icalendar import Calendar, Event, Timezone, vCalAddress, vRecur

from mail.headers import address, domain_of
from mail.inserts import name
from mail.letters import Letter, Matter, Meetings, Someone
from program.models import WEEKDAYS

PRODUCT = "-//mentorship-engine//mail//EN"
SECOND = timedelta(seconds=1)


def first_meeting(series: Meetings) -> date | None:
    """The first date of the series: `first`, or the next `weekday` after it; None where `until` is earlier."""
    found = series.first + timedelta(days=(WEEKDAYS.index(series.weekday) - series.first.weekday()) % 7)
    return found if found <= series.until else None


def starts(series: Meetings) -> datetime | None:
    """The beginning of the first meeting, in the series' zone."""
    first = first_meeting(series)
    return datetime.combine(first, series.at, tzinfo=ZoneInfo(series.zone)) if first else None


def onset_of(written: datetime, before: timedelta, after: timedelta, zone: ZoneInfo) -> datetime:
    """When an observance begins, as RFC 5545 3.6.5 wants it: local time by the offset *before* the change.

    `written` is what icalendar wrote. Raises ValueError where the zone knows no such change.
    """
    for onset in (written, written - (after - before)):
        instant = (onset - before).replace(tzinfo=UTC)
        offsets = [moment.astimezone(zone).utcoffset() for moment in (instant - SECOND, instant)]
        if offsets == [before, after]:
            return onset
    raise ValueError("a VTIMEZONE names a change of the clocks that its zone does not have")


@lru_cache(maxsize=256)
def vtimezone(zone: str, first: date, last: date) -> Timezone:
    """The VTIMEZONE of a zone, narrowed to the dates from `first` to `last`, with right onsets."""
    tz = ZoneInfo(zone)
    found = Timezone.from_tzinfo(tz, zone, first - timedelta(days=2), last + timedelta(days=2))
    found.pop("COMMENT", None)
    for observance in found.subcomponents:
        before, after = observance.TZOFFSETFROM, observance.TZOFFSETTO  # type: ignore[attr-defined]
        if before == after:
            continue
        observance.DTSTART = onset_of(observance.DTSTART, before, after, tz)  # type: ignore[attr-defined]
        later = observance.pop("RDATE", None)
        if later is not None:
            several = later if isinstance(later, list) else [later]
            written: list[datetime] = [entry.dt for group in several for entry in group.dts]
            observance.add("RDATE", [onset_of(one, before, after, tz) for one in written])
    return found


def series_id(cohort: str, mentorship: str, domain: str) -> str:
    """The UID of a mentorship's meetings: the same for every version and every attendee."""
    return f"meetings.{mentorship}.{cohort}@{domain}"


def _attendee(person: Someone) -> vCalAddress:
    found = vCalAddress("mailto:" + address(person.email, "ATTENDEE"))
    shown = re.sub(r'[";:,\\]', " ", name(person.name))
    found.params["CN"] = " ".join(shown.split())
    found.params["ROLE"] = "REQ-PARTICIPANT"
    found.params["PARTSTAT"] = "NEEDS-ACTION"
    found.params["RSVP"] = "FALSE"
    return found


def invitation(letter: Letter, matter: Matter, summary: str, description: str) -> str:
    """The iCalendar object, METHOD:REQUEST, or an empty string where no meeting fits before the end.

    SEQUENCE is the version of the agreement: a later version replaces an earlier one, a resent mail changes
    nothing.
    """
    series = matter.meetings
    begin = starts(series) if series else None
    if series is None or begin is None:
        return ""
    zone = ZoneInfo(series.zone)
    last = datetime.combine(series.until, series.at, tzinfo=zone).astimezone(UTC)
    event = Event()
    event.add("UID", series_id(letter.cohort, matter.mentorship, domain_of(letter.sender)))
    event.add("SEQUENCE", matter.agreement_version)
    event.add("DTSTAMP", letter.at.astimezone(UTC))
    event.add("DTSTART", begin)
    event.add("DURATION", timedelta(minutes=series.minutes))
    rule: dict[str, object] = {"FREQ": "WEEKLY", "INTERVAL": series.every_weeks}
    event.add("RRULE", vRecur({**rule, "BYDAY": series.weekday[:2].upper(), "UNTIL": last}))
    event.add("SUMMARY", summary)
    event.add("DESCRIPTION", description)
    event.add("STATUS", "CONFIRMED")
    organizer = vCalAddress("mailto:" + address(letter.sender, "ORGANIZER"))
    title = re.sub(r'[";:,\\]', " ", name(letter.sender_name or letter.cohort_title))
    organizer.params["CN"] = " ".join(title.split())
    event.add("ORGANIZER", organizer)
    for person in _attendees(letter.recipient, matter.partners):
        event.add("ATTENDEE", _attendee(person))
    calendar = Calendar()
    calendar.add("PRODID", PRODUCT)
    calendar.add("VERSION", "2.0")
    calendar.add("METHOD", "REQUEST")
    calendar.add("CALSCALE", "GREGORIAN")
    if series.zone not in ("UTC", "Etc/UTC"):
        calendar.add_component(vtimezone(series.zone, begin.date(), series.until))
    calendar.add_component(event)
    return calendar.to_ical().decode()


def _attendees(recipient: Someone, partners: Sequence[Someone]) -> list[Someone]:
    return [recipient, *(person for person in partners if person.email and person.id != recipient.id)]
