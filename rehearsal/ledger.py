"""The ledger of a rehearsed season, in the very format of `mentorship ledger`, so that the two can be compared."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from lifecycle.local_time import zone
from rehearsal.records import SentMail
from rehearsal.season import RehearsedSeason


def ledger(season: RehearsedSeason) -> dict[str, list[dict[str, Any]]]:
    """Everything that went out, was dropped, asked, answered, decided and came of it. Ids only."""
    cohort = season.cohort.cohort

    def local(at: datetime, person: str) -> str:
        return at.astimezone(zone(season.postboxes[person].person.zone)).isoformat(timespec="minutes")

    return {
        "mails": [
            {
                "person": mail.person,
                "at": local(mail.at, mail.person),
                "items": sorted(
                    (
                        {
                            "key": post.key,
                            "kind": post.kind,
                            "name": post.name,
                            "number": post.number,
                            "mentorship": mentorship,
                        }
                        for post, mentorship in mail.items
                    ),
                    key=lambda item: str(item["key"]),
                ),
            }
            for mail in sorted(season.mails, key=_by_minute)
        ],
        "dropped": [
            {"key": key, "reason": str(reason), "at": local(at, person)}
            for key, reason, at, person in sorted(season.dropped)
        ],
        "steps": [
            {
                "mentorship": key,
                "name": step.name,
                "number": step.number,
                "opens": step.opens.isoformat(),
                "closes": _day(step.closes),
                "settled": _day(step.settled),
                "state": step.state,
            }
            for key, running in sorted(season.running.items())
            for step in sorted(running.steps.values(), key=lambda step: (step.opens, step.name, step.number))
        ],
        "answers": [
            {
                "mentorship": given.mentorship,
                "person": given.person,
                "form": given.form,
                "number": given.number,
                "at": local(given.at, given.person),
                "late": given.late,
            }
            for given in sorted(
                season.answers,
                key=lambda given: (
                    given.mentorship,
                    given.at,
                    f"{cohort}/{given.mentorship}/{given.ask}#{given.number}/{given.person}",
                ),
            )
        ],
        "tasks": [
            {
                "mentorship": task.mentorship,
                "kind": task.kind,
                "opened": task.opened.isoformat(),
                "due": task.due.isoformat(),
                "closed": _day(task.closed),
                "decision": task.decision,
            }
            for task in sorted(
                season.tasks.values(), key=lambda task: (task.mentorship, task.opened, task.kind, task.number)
            )
        ],
        "endings": [
            {"mentorship": key, "ending": ending, "reason": reason, "on": on.isoformat()}
            for key, running in sorted(season.running.items())
            if running.ending is not None
            for ending, reason, on in [running.ending]
        ],
    }


def _by_minute(mail: SentMail) -> tuple[datetime, str, str]:
    return mail.at.replace(second=0, microsecond=0), mail.person, min(post.key for post, _ in mail.items)


def _day(on: date | None) -> str | None:
    return on.isoformat() if on else None
