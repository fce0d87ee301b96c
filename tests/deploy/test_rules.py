"""The alert rules: every trouble fires its own alert and no other, on both databases; where all is well, none does.

The numbers come from a real database through the code that serves /metrics; the rules are read as Prometheus reads
them and evaluated by a small part of its language (`tests.deploy.promql`), and by promtool where it is installed.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path

import pytest
import temporalio.bridge
from sqlalchemy import delete, update
from sqlalchemy.ext.asyncio import AsyncSession
from temporalio.client import Client

from activities.delivery.metrics import MAILS, OUTCOMES
from lifecycle.commands import OpenTask
from lifecycle.gathering import MATCH
from lifecycle.tasks import KINDS
from operations.health.metrics import HEALTH, PHASES, ProcessHealth
from store import workflow_outbox
from store.database import Database
from store.tables import ItemRow, MentorshipRow, RelayRow, TaskRow
from store.workflow_outbox import OutboxEvent
from testing.cohorts.small_cohort import COHORT, GROUP, LAUNCH, PAIR, applied, ask, item, launched, turn
from tests.deploy.promql import Scraped, fires
from tests.deploy.shipped import DEPLOY, LAZY, dashboard, expressions, metrics_named, panels, rules, selected

DOCS = Path(__file__).parent.parent.parent / "docs" / "operations.md"

NOW = LAUNCH + timedelta(days=3)
LATE = LAUNCH + timedelta(days=2)
SOON = NOW + timedelta(days=30)

Trouble = Callable[[AsyncSession], Awaitable[object]]


def _of_pair(**values: object) -> Trouble:
    async def make(session: AsyncSession) -> None:
        await session.execute(update(MentorshipRow).where(MentorshipRow.key == PAIR.key).values(**values))

    return make


def _items(**values: object) -> Trouble:
    async def make(session: AsyncSession) -> None:
        await session.execute(update(ItemRow).values(**values))

    return make


def _task(**values: object) -> Trouble:
    async def make(session: AsyncSession) -> None:
        await session.execute(update(TaskRow).values(**values))

    return make


async def _untold(session: AsyncSession) -> None:
    payload = {"id": "s1", "person": "ada", "at": LATE.isoformat()}
    await workflow_outbox.put(session, OutboxEvent("s1", COHORT, PAIR.key, "Answered", payload), LATE)


async def _refused(_: AsyncSession) -> None:
    MAILS.labels("refused").inc(6)


async def _ambiguous(_: AsyncSession) -> None:
    MAILS.labels("ambiguous").inc(6)


TROUBLES: dict[str, Trouble] = {
    "MailLate": _items(deliver_at=LATE),
    "MailRefused": _refused,
    "MailAmbiguous": _ambiguous,
    "AnswersNotTold": _untold,
    "MentorshipsLate": _of_pair(next_at=LATE),
    "MentorshipsNotBegun": _of_pair(state="planned"),
    "MentorshipsLost": _of_pair(lost_since=NOW),
    "SafetyUndecided": _task(kind="safety", due=LATE.date()),
    "TasksUndecided": _task(opened_at=NOW - timedelta(days=15)),
}
"""What can be seen in the database or in the counts, by the alert that tells of it."""


async def healthy(database: Database) -> None:
    """Two mentorships that run, an open check-in, something in the postbox, a task that is not due yet."""
    await launched(database)
    help_wanted = OpenTask(
        f"{COHORT}/{PAIR.key}/task.help.1",
        "help",
        1,
        "Somebody wants a word.",
        SOON.date(),
        ("noted", "end"),
        ("ben",),
    )
    pair = turn(1, next_at=SOON, open_requests=[ask("ben")], posts=[item("ben")], open_tasks=[help_wanted])
    await applied(database, pair, turn(1, mentorship=GROUP.key, next_at=SOON))
    await calm(database)


async def calm(database: Database) -> None:
    """No trouble, or no trouble any more."""
    async with database.begin() as session:
        await session.execute(update(MentorshipRow).values(state="running", next_at=SOON, lost_since=None))
        await session.execute(update(ItemRow).values(deliver_at=SOON))
        await session.execute(update(TaskRow).values(kind="help", opened_at=LATE, due=SOON.date()))
        await session.execute(delete(RelayRow))


async def scraped(database: Database) -> Scraped:
    """What a worker and a page process of this installation show. Nothing is remembered from one time to the next."""
    client = await Client.connect("127.0.0.1:9", lazy=True)
    text = await ProcessHealth(database, client, lambda: NOW, needs_temporal=True).metrics()
    assert b'mentorship_up{what="temporal"} 0.0' in text
    there = text.replace(b'mentorship_up{what="temporal"} 0.0', b'mentorship_up{what="temporal"} 1.0')
    return Scraped.of(there, job="worker", instance="w:1") | Scraped.of(there, job="web", instance="p:1")


def fired(now: Scraped, before: Scraped) -> set[str]:
    """The alerts that hold."""
    return {rule["alert"] for rule in rules() if fires(rule["expr"], now, before)}


async def test_every_trouble_fires_its_own_alert_and_no_other(database: Database) -> None:
    await healthy(database)
    before = await scraped(database)
    assert fired(before, before) == set()
    for alert, trouble in TROUBLES.items():
        async with database.begin() as session:
            await trouble(session)
        now = await scraped(database)
        assert fired(now, before) == {alert}
        before = now
        await calm(database)


async def test_labels_are_words_of_ours_and_few(database: Database) -> None:
    await healthy(database)
    words = {
        *KINDS, MATCH, *PHASES, *HEALTH, *OUTCOMES, "queued", "held", "sending", "database", "temporal", "worker",
        "web", "w:1", "p:1", "invitation", "agreement", "fit_check", "check_in", "midpoint", "closure", "follow_up",
    }  # fmt: skip
    shown = await scraped(database)
    ours = [labels for name, labels in shown.samples if name.startswith("mentorship_")]
    values = {value for labels in ours for name, value in labels if name != "le"}
    assert values <= words
    assert len(ours) < 300


def shows(job: str, *lines: str) -> Scraped:
    """A process that reaches everything, unless it says otherwise."""
    well = ('mentorship_up{what="database"} 1', 'mentorship_up{what="temporal"} 1')
    return Scraped.of("\n".join((*well, *lines, "")).encode(), job=job, instance=job)


FAILURES = "temporal_workflow_task_execution_failed_total"
BOTH = shows("worker") | shows("web")
GONE: dict[str, tuple[Scraped, Scraped]] = {
    "WorkersGone": (shows("web"), BOTH),
    "PagesGone": (shows("worker"), BOTH),
    "DatabaseAway": (BOTH | shows("web", 'mentorship_up{what="database"} 0'), BOTH),
    "TemporalAway": (BOTH | shows("web", 'mentorship_up{what="temporal"} 0'), BOTH),
    "RequestsNotClosed": (BOTH | shows("worker", 'mentorship_requests_overdue{ask="check_in"} 2'), BOTH),
    "WorkflowsFail": (BOTH | shows("worker", f"{FAILURES} 3"), BOTH | shows("worker", f"{FAILURES} 1")),
}
"""What a process shows, now and before, by the alert that tells of it."""


@pytest.mark.parametrize("alert", GONE)
def test_what_is_gone_fires_its_own_alert_and_no_other(alert: str) -> None:
    assert fired(*GONE[alert]) == {alert}


def test_every_rule_is_tried() -> None:
    assert TROUBLES.keys() | GONE.keys() == {rule["alert"] for rule in rules()}


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule["alert"])
def test_a_rule_says_whom_it_wakes_and_where_the_remedy_stands(rule: dict[str, object]) -> None:
    assert rule["labels"] in ({"severity": "page"}, {"severity": "ticket"})
    annotations = rule["annotations"]
    assert isinstance(annotations, dict)
    page, _, anchor = annotations["runbook"].partition("#")
    assert page == f"docs/{DOCS.name}"
    headings = re.findall(r"^#+ (.+)$", DOCS.read_text(), re.MULTILINE)
    assert anchor in {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}


def test_metrics_that_come_with_the_first_failure_are_known_to_the_sdk() -> None:
    [bridge] = Path(temporalio.bridge.__path__[0]).glob("*bridge*.so")
    binary = bridge.read_bytes()
    for name in LAZY & metrics_named():
        assert name.removeprefix("temporal_").removesuffix("_total").encode() in binary


def test_every_expression_is_prometheus_own_language() -> None:
    for expression in expressions():
        assert selected(expression), expression


def test_the_dashboard_explains_each_panel_and_fits_the_screen() -> None:
    assert {panel["datasource"]["uid"] for panel in panels()} == {"prometheus"}
    assert len({panel["id"] for panel in dashboard()["panels"]}) == len(dashboard()["panels"])
    taken: set[tuple[int, int]] = set()
    for panel in dashboard()["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert max(x for x, _ in cells) < 24
        assert taken.isdisjoint(cells), f"{panel['title']} lies over another panel"
        taken |= cells
    for panel in panels():
        assert panel["title"]
        assert panel["description"].endswith(".")


def test_promtool_takes_rules_and_configuration(tmp_path: Path) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool (Debian's package prometheus) is not here; the rules were evaluated all the same")
    for what, file in (("rules", "alerts.yml"), ("config", "prometheus.yml")):
        text = (DEPLOY / "prometheus" / file).read_text().replace("/etc/prometheus", str(DEPLOY / "prometheus"))
        (tmp_path / file).write_text(text)
        done = subprocess.run([promtool, "check", what, tmp_path / file], capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
