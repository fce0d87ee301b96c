"""The calendar invitation, read by a reading of VTIMEZONE that shares nothing with the code that wrote it."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from email import message_from_string, policy
from email.message import EmailMessage
from zoneinfo import ZoneInfo

import pytest
from icalendar import Calendar

from mail.compose import compose
from mail.letters import Letter, Meetings, WordedMail
from mail.meetings import vtimezone
from mail.preview import sample

ZONES = ("Europe/Berlin", "America/New_York", "Pacific/Chatham", "Africa/Casablanca", "Asia/Kolkata", "UTC")
BASE = sample("agreement_concluded")


def letter_for(series: Meetings | None, version: int = 1) -> Letter:
    return replace(BASE, items=(replace(BASE.items[0], meetings=series, agreement_version=version),))


def lines_of(mail: WordedMail) -> list[str]:
    return mail.calendar.replace("\r\n ", "").strip().split("\r\n")


class Reading:
    """RFC 5545 3.6.5 in a few lines: the observance that began last is in force."""

    def __init__(self, lines: list[str]) -> None:
        self.observances: list[tuple[datetime, timedelta, timedelta]] = []
        fields: dict[str, str] = {}
        inside = False
        for line in lines:
            if line in ("BEGIN:STANDARD", "BEGIN:DAYLIGHT"):
                inside, fields = True, {}
            elif line in ("END:STANDARD", "END:DAYLIGHT"):
                inside = False
                for onset in (fields["DTSTART"], *filter(None, fields.get("RDATE", "").split(","))):
                    before, after = self.offset(fields["TZOFFSETFROM"]), self.offset(fields["TZOFFSETTO"])
                    self.observances.append((datetime.strptime(onset, "%Y%m%dT%H%M%S"), before, after))  # noqa: DTZ007
            elif inside:
                key, _, value = line.partition(":")
                fields[key.split(";")[0]] = value
        self.observances.sort(key=lambda one: one[0] - one[1])

    @staticmethod
    def offset(text: str) -> timedelta:
        sign = -1 if text[0] == "-" else 1
        return sign * timedelta(hours=int(text[1:3]), minutes=int(text[3:5]))

    def utc(self, wall: datetime) -> datetime:
        in_force = [after for onset, _, after in self.observances if onset <= wall]
        return (wall - in_force[-1]).replace(tzinfo=UTC)

    def offset_at(self, instant: datetime) -> timedelta:
        plain = instant.astimezone(UTC).replace(tzinfo=None)
        return [after for onset, before, after in self.observances if onset - before <= plain][-1]


def occurrences(lines: list[str]) -> list[datetime]:
    """Wall times of the series, from DTSTART and RRULE."""
    values = {line.partition(":")[0].partition(";")[0]: line.partition(":")[2] for line in lines}
    event = lines[lines.index("BEGIN:VEVENT") :]
    begin = next(line for line in event if line.startswith("DTSTART")).partition(":")[2]
    rule = dict(part.split("=") for part in values["RRULE"].split(";"))
    wall = datetime.strptime(begin.removesuffix("Z"), "%Y%m%dT%H%M%S")  # noqa: DTZ007
    until = datetime.strptime(rule["UNTIL"], "%Y%m%dT%H%M%SZ")  # noqa: DTZ007
    assert rule["FREQ"] == "WEEKLY"
    assert ["MO", "TU", "WE", "TH", "FR", "SA", "SU"][wall.weekday()] == rule["BYDAY"]
    found = []
    while wall <= until + timedelta(days=1):
        found.append(wall)
        wall += timedelta(weeks=int(rule["INTERVAL"]))
    return found


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("at", [time(0, 30), time(3, 30), time(9, 0), time(23, 45)])
def test_every_meeting_keeps_its_wall_time_through_the_year(zone: str, at: time) -> None:
    for weekday in ("tue", "sun"):
        series = Meetings(weekday, at, zone, 1, 60, date(2026, 9, 1), date(2027, 8, 30))
        lines = lines_of(compose(letter_for(series)))
        tz = ZoneInfo(zone)
        reading = Reading(lines) if zone != "UTC" else None
        met = 0
        for wall in occurrences(lines):
            true = wall.replace(tzinfo=tz)
            if true.astimezone(UTC).astimezone(tz).replace(tzinfo=None) != wall:
                continue  # a time that the clocks skip
            assert (reading.utc(wall) if reading else wall.replace(tzinfo=UTC)) == true.astimezone(UTC)
            met += 1
        assert met >= 50


@pytest.mark.parametrize("zone", [zone for zone in ZONES if zone != "UTC"])
def test_the_clocks_change_at_the_right_minute(zone: str) -> None:
    """Traps: an onset in the new offset, and a change that is over after a few weeks (Morocco's Ramadan)."""
    first, last = date(2026, 9, 4), date(2030, 9, 1)
    reading = Reading(vtimezone(zone, first, last).to_ical().decode().replace("\r\n ", "").split("\r\n"))
    tz = ZoneInfo(zone)
    instant = datetime(2026, 9, 4, tzinfo=UTC)
    changes = 0
    while instant < datetime(2030, 8, 31, tzinfo=UTC):
        later = instant + timedelta(minutes=15)
        if instant.astimezone(tz).utcoffset() != later.astimezone(tz).utcoffset():
            changes += 1
            for moment in (instant, later - timedelta(seconds=1), later, later + timedelta(minutes=45)):
                assert reading.offset_at(moment) == moment.astimezone(tz).utcoffset()
        instant = later
    assert changes == (0 if zone == "Asia/Kolkata" else 8)


def test_the_invitation_stands_in_both_places_and_both_say_request() -> None:
    mail = compose(BASE)
    read = message_from_string(mail.raw, EmailMessage, policy=policy.default)
    assert read.get_content_type() == "multipart/mixed"
    alternative, attachment = read.iter_parts()  # type: ignore[attr-defined]
    assert [part.get_content_type() for part in alternative.iter_parts()] == [
        "text/plain",
        "text/html",
        "text/calendar",
    ]
    inline = list(alternative.iter_parts())[2]
    assert inline["Content-Type"].params["method"] == "REQUEST"
    assert inline["Content-Type"].params["charset"] == "utf-8"
    assert attachment.get_content_type() == "application/ics"
    assert attachment.get_filename() == "meetings.ics"
    assert inline.get_payload(decode=True) == attachment.get_payload(decode=True) == mail.calendar.encode()
    assert "METHOD:REQUEST" in mail.calendar


def test_a_new_version_replaces_the_series_of_the_old_one() -> None:
    first, second = (Calendar.from_ical(compose(letter_for(BASE.items[0].meetings, n)).calendar) for n in (1, 2))
    one, two = first.walk("VEVENT")[0], second.walk("VEVENT")[0]
    assert one["UID"] == two["UID"] == "meetings.m07.spring@example.org"
    assert (one["SEQUENCE"], two["SEQUENCE"]) == (1, 2)
    for_mentor = compose(replace(BASE, recipient=BASE.items[0].partners[0]))
    assert Calendar.from_ical(for_mentor.calendar).walk("VEVENT")[0]["UID"] == one["UID"]


def test_a_resent_invitation_is_the_same_bytes() -> None:
    assert compose(BASE).calendar == compose(BASE).calendar


def test_reader_and_partners_are_invited_by_the_sender() -> None:
    lines = lines_of(compose(BASE))
    invited = [re.sub(r".*mailto:", "", line) for line in lines if line.startswith("ATTENDEE")]
    assert invited == ["jonas.lindqvist@example.org", "grace.okafor@example.org"]
    assert next(line for line in lines if line.startswith("ORGANIZER")).endswith("mailto:mentoring@example.org")


@pytest.mark.parametrize(
    "name",
    ['Ada "X"; RSVP=TRUE:mailto:evil@example.com', "Ada\r\nATTENDEE:mailto:evil@example.com", "Ada, Bo; C: D\\"],
)
def test_no_name_becomes_a_line_of_the_calendar(name: str) -> None:
    partner = replace(BASE.items[0].partners[0], name=name)
    item = replace(BASE.items[0], partners=(partner,))
    letter = replace(BASE, recipient=replace(BASE.recipient, name=name), cohort_title=name, items=(item,))
    lines = lines_of(compose(letter))
    assert len([line for line in lines if line.startswith("ATTENDEE")]) == 2
    for line in lines:
        if line.startswith(("ATTENDEE", "ORGANIZER")):
            assert re.sub('"[^"]*"', "", line).count("mailto:") == 1
            assert "TRUE" not in re.sub('"[^"]*"', "", line)
    assert len(lines) == len(lines_of(compose(BASE)))


def test_the_first_meeting_is_on_the_weekday() -> None:
    series = Meetings("thu", time(16), "Europe/Berlin", 2, 45, date(2027, 3, 1), date(2027, 8, 30))
    walls = occurrences(lines_of(compose(letter_for(series))))
    assert walls[0] == datetime(2027, 3, 4, 16)  # noqa: DTZ001
    assert walls[1] == datetime(2027, 3, 18, 16)  # noqa: DTZ001
    assert "DURATION:PT45M" in compose(letter_for(series)).calendar


@pytest.mark.parametrize(
    "series",
    [None, Meetings("thu", time(16), "Europe/Berlin", 2, 45, date(2027, 8, 27), date(2027, 8, 30))],
    ids=["no-weekday", "none-before-the-end"],
)
def test_without_a_meeting_there_is_no_invitation(series: Meetings | None) -> None:
    mail = compose(letter_for(series))
    assert mail.calendar == ""
    assert "text/calendar" not in mail.raw
    assert "calendar" not in mail.text.lower()
