"""How many statements each page takes, with more rows of everything than it may take statements: none grows with what
there is. The aims are in `testing.page_aims`."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

from sqlalchemy import event

from operations import plans
from operations.plans import Choice
from store.columns import public_id
from store.tables import ItemRow, MessageRow, NoteRow, ParticipantRow, TaskRow
from testing.environments.web_env import COHORT, NOW, WebEnv, filled_in, send
from testing.page_aims import FILES, KILOBYTES, most_statements
from tests.coordinator.test_acts import Pages, pages  # noqa: F401
from web.coordinator.route_table import ROUTES

MANY = 12
"""Rows of everything: more than the statements of a page."""
NOT_OPENED = (
    # Nobody is signed in, or it goes on to another page.
    "start", "link", "sign_in", "code", "sign_in_by_openid", "back_from_openid",
    # A plan that is carried out asks SQL in the background.
    "plan_result",
    # For administrators; it checks the whole installation.
    "installation",
    # This cohort has no call, no message, and no file in the browser.
    "matching_board", "matching_pool", "pool_csv", "pool_xlsx",
    "application", "show_publishing", "message", "message_body", "edit_message",
    "cohort_file", "download_file", "file_plan", "rehearsal", "file_launch", "wording", "wording_mail",
    "wording_text",
)  # fmt: skip


async def _filled(env: WebEnv) -> dict[str, str]:
    """Tasks, mails, notes and answers in one mentorship; the values of paths."""
    for number in range(1, MANY + 1):
        path = await env.ask("check_in", "ada", number=number)
        async with env.client() as participant:
            await send(participant, path, await filled_in(env, path, p_open="2", p_word="May we talk?"))
    async with env.database.begin() as session:
        for n in range(MANY):
            key = f"{COHORT}/pair/task.low_score#{n}"
            session.add(
                TaskRow(
                    key=key, cohort=COHORT, mentorship="pair", kind="low_score", number=n, reason="Low.",
                    about=["ada"], decisions=["noted", "nudge"], due=NOW.date() + timedelta(days=n), opened_at=NOW,
                    opened_on=NOW.date(),
                )
            )  # fmt: skip
            session.add(
                MessageRow(
                    id=f"mail-{n}", person="ada", cohort=COHORT, at=NOW, local_date=NOW.date(), subject="A check-in",
                    recipient="ada@example.org", raw="Subject: A check-in\n\nHello", state="sent",
                )
            )  # fmt: skip
            await session.flush()
            session.add(
                ItemRow(
                    key=f"item-{n}", person="ada", kind="request", name="check_in", number=n, cohort=COHORT,
                    mentorship="pair", date=NOW.date(), queued_at=NOW, state="sent", message=f"mail-{n}",
                )
            )  # fmt: skip
            session.add(
                NoteRow(id=f"note-{n}", cohort=COHORT, mentorship="pair", by="coco", at=NOW, text="Called them.")
            )
    await env.change(ParticipantRow, {"id": "cai"}, standing="bounced")
    choice = Choice("extend", {"weeks": "4"}, [(COHORT, "pair"), (COHORT, "group")], cohort=COHORT)
    made = await plans.freeze(env.database, env.settings, choice, env.now, by="coco", proof="mailed_link")
    task = public_id(f"{COHORT}/pair/task.low_score#0")
    return {
        "cohort": COHORT, "key": "pair", "person": "ada", "task": task, "mail": "mail-0", "plan": made.id,
        "kind": "html",
    }  # fmt: skip


async def test_no_page_takes_more_statements_or_bytes_than_its_aim(pages: Pages) -> None:  # noqa: F811
    values = await _filled(pages.env)
    statements: list[str] = []

    def count(_connection: object, _cursor: object, statement: str, *_: Any) -> None:
        if not statement.startswith(("BEGIN", "PRAGMA", "SAVEPOINT", "RELEASE")):
            statements.append(statement)

    event.listen(pages.env.database.engine.sync_engine, "before_cursor_execute", count)
    opened: dict[str, tuple[int, float]] = {}
    for route in ROUTES:
        if "GET" not in route.methods or route.name in NOT_OPENED:
            continue
        path = re.sub(r"\{(\w+)(?::\w+)?\}", lambda name: values[name[1]], route.path)
        if route.name == "choose_act":
            path += "?act=extend&key=pair"
        await pages.get(path)  # programs are read once a process
        statements.clear()
        page = await pages.get(path)
        opened[route.name] = len(statements), len(page.encode()) / 1024
        assert len(statements) <= most_statements(route.name), (route.name, statements)
        assert opened[route.name][1] <= KILOBYTES or route.name in FILES, route.name
    named = {route.name for route in ROUTES if "GET" in route.methods}
    assert set(opened) | set(NOT_OPENED) == named
