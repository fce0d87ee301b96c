"""The report of 1,000 mentorships: seconds and size of its page and its workbook, from rows that are in memory."""

from __future__ import annotations

import time

from operations.reports.report import TASK_LABELS, Made
from rehearsal.season_rows import season_rows
from reports import season_report
from testing.season_attacker import with_applicants
from testing.seasons.rehearsed_answers import season
from tools.bench.table import Line

MANY = 1000


async def measure(*, quick: bool) -> list[Line]:
    """Figures, gate and page; figures and workbook."""
    many = 200 if quick else MANY
    rows = with_applicants(season_rows(season(1, many, ("formal",))), 1)
    began = time.process_time()
    page = Made(season_report.for_passing_on(rows, TASK_LABELS)).html()
    html = time.process_time() - began
    began = time.process_time()
    Made(season_report.exact(rows, TASK_LABELS)).xlsx()
    workbook = time.process_time() - began
    size = f"report of {many:,} mentorships"
    return [
        Line(f"{size}, figures, gate and page", html, "s CPU", aim=5, better="less"),
        Line(f"{size}, size of the page", len(page.encode()) / 1000, "KB", aim=400, better="less"),
        Line(f"{size}, figures and workbook", workbook, "s CPU", aim=5, better="less"),
    ]
