"""The meeting series of an agreement as a calendar invitation (RFC 5545, RFC 5546).

A series needs its zone, since it keeps its wall time when clocks change. The VTIMEZONE is made here from the
zone itself: icalendar's own (7.3.0) begins a jump forward an hour late, and steps over a change that lasts a few
weeks only (Morocco's Ramadan).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from icalendar import Calendar, Event, Timezone, TimezoneDaylight, TimezoneStandard, vCalAddress, vRecur

from mail.headers import address, domain_of
from mail.inserts import name
from mail.letters import Letter, LetterItem, MailPerson, Meetings
from program.models import WEEKDAYS

PRODUCT = "-//mentorship-engine//mail//EN"
DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)


def first_meeting(series: Meetings) -> date | None:
    """The first date of the series: `first`, or the next `weekday` after it; None where `until` is earlier."""
    first = series.first + timedelta(days=(WEEKDAYS.index(series.weekday) - series.first.weekday()) % 7)
    return first if first <= series.until else None


def starts(series: Meetings) -> datetime | None:
    """The beginning of the first meeting, in the series' zone."""
    first = first_meeting(series)
    return datetime.combine(first, series.at, tzinfo=ZoneInfo(series.zone)) if first else None


def changes(zone: ZoneInfo, first: date, last: date) -> list[datetime]:
    """The instants (UTC, to the second) between two dates at which the zone's offset changes."""
    moments: list[datetime] = []
    instant = datetime.combine(first, time(0), tzinfo=UTC)
    while instant.date() <= last:
        early, late = instant, instant + DAY
        if early.astimezone(zone).utcoffset() != late.astimezone(zone).utcoffset():
            before = early.astimezone(zone).utcoffset()
            while late - early > SECOND:
                middle = early + (late - early) // 2
                early, late = (middle, late) if middle.astimezone(zone).utcoffset() == before else (early, middle)
            moments.append(late.replace(microsecond=0))
        instant += DAY
    return moments


@lru_cache(maxsize=256)
def vtimezone(zone_name: str, first: date, last: date) -> Timezone:
    """The VTIMEZONE of a zone for the dates from `first` to `last`, every change of the clocks by itself.

    An observance begins at the local time by the offset *before* the change (RFC 5545 3.6.5).
    """
    zone = ZoneInfo(zone_name)
    component = Timezone()
    component.add("TZID", zone_name)
    opening = datetime.combine(first - 2 * DAY, time(0), tzinfo=UTC)
    before = opening.astimezone(zone).utcoffset() or timedelta()
    for instant in (opening, *changes(zone, first - DAY, last + 2 * DAY)):
        local = instant.astimezone(zone)
        after = local.utcoffset() or timedelta()
        observance = TimezoneDaylight() if local.dst() else TimezoneStandard()
        observance.DTSTART = (instant + before).replace(tzinfo=None)
        observance.TZOFFSETFROM = before
        observance.TZOFFSETTO = after
        observance.add("TZNAME", local.tzname() or zone_name)
        component.add_component(observance)
        before = after
    return component


def series_id(cohort: str, mentorship: str, domain: str) -> str:
    """The UID of a mentorship's meetings: the same for every version and every attendee."""
    return f"meetings.{mentorship}.{cohort}@{domain}"


def _attendee(person: MailPerson) -> vCalAddress:
    attendee = vCalAddress("mailto:" + address(person.email, "ATTENDEE", utf8=True))
    shown = re.sub(r'[";:,\\]', " ", name(person.name))
    attendee.params["CN"] = " ".join(shown.split())
    attendee.params["ROLE"] = "REQ-PARTICIPANT"
    attendee.params["PARTSTAT"] = "NEEDS-ACTION"
    attendee.params["RSVP"] = "FALSE"
    return attendee


def invitation(letter: Letter, item: LetterItem, summary: str, description: str) -> str:
    """The iCalendar object, METHOD:REQUEST, or an empty string where no meeting fits before the end.

    SEQUENCE is the version of the agreement: a later version replaces an earlier one, a resent mail changes
    nothing.
    """
    series = item.meetings
    begin = starts(series) if series else None
    if series is None or begin is None:
        return ""
    zone = ZoneInfo(series.zone)
    last = datetime.combine(series.until, series.at, tzinfo=zone).astimezone(UTC)
    event = Event()
    event.add("UID", series_id(letter.cohort, item.mentorship, domain_of(letter.sender)))
    event.add("SEQUENCE", item.agreement_version)
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
    for person in _attendees(letter.recipient, item.partners):
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


def _attendees(recipient: MailPerson, partners: Sequence[MailPerson]) -> list[MailPerson]:
    return [recipient, *(person for person in partners if person.email and person.id != recipient.id)]
