"""A rehearsed season as the rows that reports are made of: what a report will say, before anybody is mailed."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime

from lifecycle.delivery.postbox import FAST
from lifecycle.local_time import local_date
from program.forms import Answers
from program.goals import goals_of
from rehearsal.records import Running
from rehearsal.season import RehearsedSeason
from reports.rows import (
    AnswerFacts,
    MailFacts,
    MentorshipFacts,
    RequestFacts,
    Season,
    SeatFacts,
    TaskFacts,
    rhythm_days,
)

GONE = ("withdrawn", "superseded")


def season_rows(season: RehearsedSeason) -> Season:
    """The rows as of the day on which the rehearsal stands."""
    cohort = season.cohort
    as_of = local_date(season.now, cohort.zone)
    carried = _carried(season)
    given = {
        (one.mentorship, one.ask, one.number, one.person): one.at for one in reversed(season.answers)
    }  # the first of several stays
    requests: list[RequestFacts] = []
    answers: list[AnswerFacts] = []
    for key, running in sorted(season.running.items()):
        for name, request in running.requests.items():
            asked, mails = request.asked, carried.get(name, [])
            state = request.facts.state
            requests.append(
                RequestFacts(
                    name, key, asked.ask, asked.number, asked.person, asked.role, mails[0] if mails else None,
                    len(mails), state in GONE, closed=state != "open" and request.facts.closes_at <= season.now,
                )
            )  # fmt: skip
            if request.answers is None:
                continue
            at = given[(key, asked.ask, asked.number, asked.person)]
            form = running.forms[running.program.form_for(asked.ask)]
            reminded = sum(mail <= at for mail in mails)
            answers.append(AnswerFacts(name, form, asked.format, asked.early, request.answers, at, reminded))
    running_ones = season.running.items()
    people = {person.id for person in cohort.participants}
    return Season(
        cohort=cohort.cohort,
        title=cohort.title,
        organisation=cohort.organisation,
        programs=tuple(sorted({running.program.title for _, running in running_ones})),
        start=cohort.start,
        as_of=as_of,
        state="cancelled" if season.cancelled else "over",
        mentorships=tuple(_mentorship(key, running) for key, running in sorted(running_ones)),
        seats=tuple(
            SeatFacts(key, member.person, member.role)
            for key, running in sorted(running_ones)
            for member in running.state.members
        ),
        requests=tuple(requests),
        answers=tuple(answers),
        tasks=tuple(
            TaskFacts(key, task.mentorship, task.kind, task.opened, task.due, task.closed, task.decision)
            for key, task in season.tasks.items()
        ),
        mails=_mails(season, people),
    )


def _mentorship(key: str, running: Running) -> MentorshipFacts:
    noted = {note.name for _, note in running.notes}
    ending, reason, on = running.ending or ("", "", None)
    agreement = _agreement(running)
    return MentorshipFacts(
        key, running.program.title, running.program.format, running.state.start, running.state.midpoint,
        running.state.end, rhythm_days(running.program, str(agreement.get("a_cadence", ""))),
        "onboarded" in noted, "agreement_concluded" in noted, ending, reason, on, len(goals_of(agreement)),
    )  # fmt: skip


def _agreement(running: Running) -> Answers:
    """The last draft of the agreement; empty where there is none."""
    drafts = {
        request.asked.number: request.answers
        for request in running.requests.values()
        if request.asked.ask == "agreement" and request.answers is not None
    }
    return drafts[max(drafts)] if drafts else {}


def _mails(season: RehearsedSeason, people: Collection[str]) -> tuple[MailFacts, ...]:
    moments: dict[str, list[datetime]] = {}
    days: dict[str, list[date]] = {}
    for mail in season.mails:
        if mail.person in people:
            moments.setdefault(mail.person, []).append(mail.at)
            if not any(post.kind in FAST for post, _ in mail.items):
                zone = season.postboxes[mail.person].person.zone
                days.setdefault(mail.person, []).append(local_date(mail.at, zone))
    return tuple(
        MailFacts(person, len(at), min(at), len(of := days.get(person, [])) - len(set(of)))
        for person, at in moments.items()
    )


def _carried(season: RehearsedSeason) -> dict[str, list[datetime]]:
    """Request to the moments at which mails carried it, the first first."""
    found: dict[str, list[datetime]] = {}
    for mail in season.mails:
        for post, _ in mail.items:
            if post.request:
                found.setdefault(post.request, []).append(mail.at)
    return found
