"""The evidence pack of a cohort: what quality standards ask for, as pages that link to each other."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from lifecycle.tasks import KINDS
from operations.mentorships.labels import in_words
from operations.reports.report import Made
from reports import html_report
from reports.evidence import Facts, evidence
from store.audit import AuditFilters, read
from store.cohorts import calls
from store.database import Database
from store.people import people
from store.reports.releases import change_text
from store.reports.season_rows import programs_of

MOST = 10_000
"""So many of the latest acts are counted."""


async def evidence_pack(database: Database, made: Made, now: datetime) -> dict[str, str]:
    """Name of a file to its content. `made` is a report for passing on; `now` is program time (UTC)."""
    cohort = made.report.season.cohort
    async with database.session() as session:
        frozen = await programs_of(session, cohort)
        deciders = await people.deciders(session, cohort)
        lines, _ = await read(session, AuditFilters(cohort=cohort), most=MOST)
        change = await change_text(session, cohort)
        call = await calls.find(session, cohort)
    programs = tuple(each.program for each in frozen)
    rules = programs[0].rules.due if programs else {}
    facts = Facts(
        programs=programs,
        forms={name: form for each in frozen for name, form in each.forms.items()},
        due={in_words(kind): rules.get(kind, days) for kind, (days, _) in KINDS.items()},
        coordinators=sum(each.role == "coordinator" for each in deciders),
        deputies=sum(each.role == "deputy" for each in deciders),
        audit=Counter(line.what for line in lines),
        change=change,
        matching=call.matching if call is not None and call.gathering.published else None,
    )
    title = f"Evidence: {made.report.season.title}"
    return {"report.html": made.html(), **html_report.evidence_pages(title, evidence(made.report, facts))}
