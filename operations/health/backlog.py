"""What has piled up in an installation: mail that should have gone, answers that nobody was told of, mentorships that
don't move. Counts only; looks and fixes nothing.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from operations.health.findings import Finding
from store.reports.metrics import Totals

MAIL_IS_LATE = timedelta(minutes=15)
ANSWERS_ARE_LATE = timedelta(minutes=15)
MENTORSHIPS_ARE_LATE = timedelta(minutes=30)
"""As in deploy/prometheus/alerts.yml, in program time."""


def examine_backlog(totals: Totals, now: datetime) -> list[Finding]:
    """What these numbers say at this moment (program time, UTC)."""
    return [_mail(totals, now), _answers(totals, now), _mentorships(totals, now)]


def _mail(totals: Totals, now: datetime) -> Finding:
    items = totals.items
    waiting = f"{items['queued']} items wait for their time, {totals.items_due} are due, {items['held']} are held"
    if totals.mails["deferred"]:
        waiting += f", {totals.mails['deferred']} mails were put off by the relay"
    late = _late(totals.oldest_due, now)
    if late > MAIL_IS_LATE:
        remedy = (
            "Look at the card of postmaster/0 (and of other shards) in the Temporal UI: it says what is in the way."
        )
        return Finding("deliveries", "fault", f"the oldest is {_words(late)} late; {waiting}", remedy)
    return Finding("deliveries", "good", waiting)


def _answers(totals: Totals, now: datetime) -> Finding:
    late = _late(totals.oldest_relay, now)
    if late > ANSWERS_ARE_LATE:
        says = f"{totals.relays} are kept that their mentorships have not been told of, the oldest for {_words(late)}"
        remedy = "Is a worker running, and does Temporal answer? They are told as soon as both are there."
        return Finding("answers", "fault", says, remedy)
    says = f"{totals.relays} are being told" if totals.relays else "every mentorship has been told of its answers"
    return Finding("answers", "good", says)


def _mentorships(totals: Totals, now: datetime) -> Finding:
    late = _late(totals.late_since, now)
    if late > MENTORSHIPS_ARE_LATE:
        says = f"in {totals.late} something should have happened, in one of them {_words(late)} ago"
        remedy = "Is a worker running? If it is, look for failed workflow tasks in the Temporal UI."
        return Finding("mentorships", "fault", says, remedy)
    if totals.planned:
        says = f"{totals.planned} were launched and have not begun"
        return Finding("mentorships", "warning", says, "Launch their cohort again: what has begun is left alone.")
    running = sum(totals.running.values())
    return Finding("mentorships", "good", f"{running} run, {totals.paused} of them paused; {totals.over} are over")


def _late(since: datetime | None, now: datetime) -> timedelta:
    return now - since if since else timedelta(0)


def _words(span: timedelta) -> str:
    minutes = int(span.total_seconds() // 60)
    if minutes < 120:
        return f"{minutes} minutes"
    return f"{minutes // 60} hours" if minutes < 48 * 60 else f"{minutes // (24 * 60)} days"
