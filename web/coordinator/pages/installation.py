"""How the installation stands, for those who look after it: what the doctor finds, versions, the queue of mail, the
last backup, and who is signed in. It shows no address and no answer."""

from __future__ import annotations

import platform
from datetime import timedelta
from importlib.metadata import PackageNotFoundError, version

from starlette.requests import Request
from starlette.responses import Response

from operations.health.backup import last_backup
from operations.health.doctor import examined
from store.reports.metrics import count_all
from web.coordinator.visit import Visit

EXAMINED_WITHIN = 20.0
"""Real seconds that the doctor has for a page; what it has found until then is shown."""
PACKAGES = ("mentorship-engine", "temporalio", "sqlalchemy", "starlette")
BACKUP_OLD = timedelta(days=2)


async def show(_: Request, visit: Visit) -> Response:
    """GET: the installation. The doctor looks while the page is made."""
    async with visit.database.session() as session:
        totals = await count_all(session, visit.now)
    findings, is_complete = await examined(visit.settings, EXAMINED_WITHIN)
    now = visit.site.real_now()
    backup = await last_backup(visit.database)
    return visit.page(
        "installation.html",
        findings=findings,
        is_complete=is_complete,
        faults=sum(one.state == "fault" for one in findings),
        warnings=sum(one.state == "warning" for one in findings),
        totals=totals,
        versions=_versions(),
        backup=backup,
        backup_days=(visit.now - backup).days if backup else 0,
        backup_is_old=backup is None or visit.now - backup > BACKUP_OLD,
        sessions=await visit.site.sign_in.all_sessions(now),
        clock=now,
    )


def _versions() -> list[tuple[str, str]]:
    found = [("Python", platform.python_version())]
    for name in PACKAGES:
        try:
            found.append((name, version(name)))
        except PackageNotFoundError:
            continue
    return found
