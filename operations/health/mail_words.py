"""Whether the mail templates that cohorts have of their own still render: an upgrade can take a value away that they
put in."""

from __future__ import annotations

import asyncio

from mail.preview import FORMATS
from operations.cohorts.load import check_templates_again
from operations.health.findings import Finding
from program.files.folders import template_folders
from runtime.settings import Settings
from store.cohorts import mail_templates
from store.database import Database

WHAT = "own mails"


async def examine_mail_words(database: Database, settings: Settings) -> list[Finding]:
    """A fault for each cohort that runs with a template that does not render; nothing where no cohort has its own."""
    async with database.session() as session:
        running = await mail_templates.running(session)
    with_own = {cohort: own for cohort, own in running.items() if own.texts}
    folders = template_folders(None, settings.own_config)
    found: list[Finding] = []
    for cohort, own in with_own.items():
        faults = list(await asyncio.to_thread(check_templates_again, folders, FORMATS, own))
        for file, line, problem in faults[:1]:
            says = f"{len(faults)} faults in the mails of {cohort}, the first in {file}, line {line}: {problem}"
            remedy = (
                f"Correct it on the pages and put it in force, or go back: mentorship reword {cohort} --version N"
            )
            found.append(Finding(WHAT, "fault", says, remedy))
    if with_own and not found:
        found.append(Finding(WHAT, "good", f"render: those of {', '.join(with_own)}"))
    return found
