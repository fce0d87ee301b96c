"""The parts of the compose file, run as they are run there: `mentorship worker` and `mentorship web` as processes of
their own, PostgreSQL, a Temporal server that keeps its data in a file, a relay. A mail goes out, an answer comes in,
and the operator who watches sees both, and nobody's name.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import func, select

from demo.pages import forms_on
from demo.visitor import tokens_in
from embedded.temporal_server import DevServer
from store.database import Database
from store.tables import AnswerRow, TaskRow
from testing.environments.cli_env import SECRET, ConfigFolder, mentorship
from testing.servers.dev_server import free_port
from testing.servers.sink import Sink
from testing.servers.sink import running as running_sink
from tests.cli.conftest import settle
from tests.deploy.collector import Collector, collecting
from tests.deploy.shipped import LAZY, metrics_named

ROOT = Path(__file__).parent.parent.parent
PROGRAM = [sys.executable, "-c", "from cli.main import main; main()"]


@asynccontextmanager
async def process(log: Path, word: str, **variables: int) -> AsyncIterator[asyncio.subprocess.Process]:
    """A command in a process of its own."""
    environment = os.environ | {"PYTHONPATH": str(ROOT)} | {name: str(value) for name, value in variables.items()}
    with log.open("wb") as errors:
        started = await asyncio.create_subprocess_exec(
            *PROGRAM, word, env=environment, stdout=asyncio.subprocess.DEVNULL, stderr=errors
        )
    try:
        yield started
    finally:
        if started.returncode is None:
            started.kill()
        await started.wait()


async def until(what: Callable[[], Awaitable[bool]], within: float = 60) -> None:
    """Wait until something is so."""
    async with asyncio.timeout(within):
        while not await what():
            await asyncio.sleep(0.05)


async def ready(port: int) -> str:
    """What a process says to whether it is ready; empty while it doesn't answer."""
    try:
        async with httpx.AsyncClient() as http:
            return (await http.get(f"http://127.0.0.1:{port}/readyz", timeout=10)).text
    except httpx.TransportError:
        return ""


async def measured(port: int) -> dict[tuple[str, frozenset[str]], float]:
    """What a process shows: name and values of the labels to the number."""
    async with httpx.AsyncClient() as http:
        assert (await http.get(f"http://127.0.0.1:{port}/healthz", timeout=10)).text == "ok\n"
        shown = (await http.get(f"http://127.0.0.1:{port}/metrics", timeout=10)).text
    samples = [sample for family in text_string_to_metric_families(shown) for sample in family.samples]
    return {(sample.name, frozenset(sample.labels.values())): sample.value for sample in samples}


async def invitation(sink: Sink, recipient: str) -> str:
    """The token in the invitation of a person, once it has come."""

    async def come() -> bool:
        return bool(sink.mails_to(recipient))

    await until(come)
    return tokens_in(sink.mails_to(recipient)[0].raw)[0]


@pytest.mark.timeout(400)
async def test_a_mail_goes_out_and_an_answer_comes_in_through_separate_processes(
    postgresql_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = DevServer(free_port(), free_port(), tmp_path / "temporal.log", tmp_path / "temporal.db")
    worker_port, web_port, pages_port = free_port(), free_port(), free_port()
    file = ConfigFolder.at(tmp_path / "config").cohort("parts", 2, names={"a1": "Grace Okafor", "b1": "Deepak Raman"})
    settle(monkeypatch, tmp_path)
    monkeypatch.setenv("MENTORSHIP_DATABASE_URL", postgresql_url)
    monkeypatch.setenv("TEMPORAL_ADDRESS", server.address)
    # Whatever is told at one time goes in one mail, half a minute later: here that is half a second.
    monkeypatch.setenv("MENTORSHIP_SPEED", "60")
    monkeypatch.setenv("MENTORSHIP_EPOCH", datetime.now(UTC).isoformat())
    monkeypatch.setenv("MENTORSHIP_PUBLIC_URL", f"http://127.0.0.1:{pages_port}")
    async with AsyncExitStack() as stack:
        await server.start()
        stack.push_async_callback(server.stop)
        sink = await stack.enter_async_context(running_sink())
        monkeypatch.setenv("MENTORSHIP_SMTP_PORT", str(sink.port))
        collector = await stack.enter_async_context(collecting())
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{collector.port}")
        assert "registered before" in (await asyncio.to_thread(mentorship, "register")).out
        worker = await stack.enter_async_context(
            process(tmp_path / "worker.log", "worker", MENTORSHIP_METRICS_PORT=worker_port)
        )
        web = await stack.enter_async_context(
            process(tmp_path / "web.log", "web", MENTORSHIP_METRICS_PORT=web_port, MENTORSHIP_WEB_PORT=pages_port)
        )

        async def both_ready() -> bool:
            return await ready(worker_port) == await ready(web_port) == "ready\n"

        await until(both_ready)
        said = await asyncio.to_thread(mentorship, "launch", str(file), "--yes")
        assert said.code == 0, said.err

        token = await invitation(sink, "a1@parts.example.org")
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{pages_port}") as http:
            [form] = forms_on((await http.get(f"/f/{token}")).text)
            sent = await http.post(f"/f/{token}", data=form.filled({"accept": ["no"]}))
            assert sent.status_code == 303
            assert (await http.get("/metrics")).status_code == 404, "the world has no business with our numbers"

        async with Database.open(postgresql_url) as database:

            async def workflow_has_heard() -> bool:
                async with database.session() as session:
                    return bool(await session.scalar(select(func.count(TaskRow.key))))

            await until(workflow_has_heard)
            async with database.session() as session:
                assert await session.scalar(select(func.count(AnswerRow.id))) == 1
                assert list(await session.scalars(select(TaskRow.kind))) == ["seat_empty"]

        async def coordinator_has_mail() -> bool:
            return bool(sink.mails_to("petra@parts.example.org"))

        await until(coordinator_has_mail)
        await _as_it_is_watched(await measured(worker_port), await measured(web_port))

        await _as_doctor_sees_it()
        await server.stop()
        assert await ready(worker_port) == "Temporal does not answer\n"
        assert await ready(web_port) == "ready\n", "answers are taken while Temporal is away"
        assert (await measured(web_port))["mentorship_up", frozenset(["temporal"])] == 0
        for one in (worker, web):
            one.send_signal(signal.SIGTERM)
            async with asyncio.timeout(30):
                assert await one.wait() == 0
        _as_it_is_traced(collector)
    _as_it_is_logged(tmp_path)


async def _as_doctor_sees_it() -> None:
    """All is well, but for what can't be well on one machine."""
    said = await asyncio.to_thread(mentorship, "doctor", "--json")
    assert said.code == 0, said.out
    states = {one["what"]: one["state"] for one in said.json}
    asked = {"public URL", "sender", "clock", "namespace"}
    assert {what for what, state in states.items() if state != "good"} == asked
    assert states.keys() - asked == {
        "secret", "database", "deliveries", "answers", "mentorships", "Temporal", "search attributes", "worker",
        "workflows", "mail relay", "pages",
    }  # fmt: skip
    [clock] = [one for one in said.json if one["what"] == "clock"]
    assert "60 times as fast" in clock["says"], "the clocks of this machine and of PostgreSQL agree"


async def _as_it_is_watched(
    worker: dict[tuple[str, frozenset[str]], float], web: dict[tuple[str, frozenset[str]], float]
) -> None:
    """Both show the numbers of the installation; each its own counts; together all that rules and dashboard name."""
    for shown in (worker, web):
        assert shown["mentorship_running", frozenset(["onboarding", "attention"])] == 1
        assert shown["mentorship_tasks_open", frozenset(["seat_empty"])] == 1
        assert shown["mentorship_requests_open", frozenset(["invitation"])] == 3
        assert shown["mentorship_up", frozenset(["database"])] == 1
    assert worker["mentorship_mails_total", frozenset(["sent"])] >= 4
    assert worker["mentorship_delivery_delay_seconds_count", frozenset()] >= 4
    assert {name for name, _ in worker} >= metrics_named() - LAZY
    values = {value for _, labels in (*worker, *web) for value in labels}
    assert not [value for value in values if "@" in value or "Grace" in value or "parts" in value]


def _as_it_is_traced(collector: Collector) -> None:
    """From the page to the workflow that was told, and on to the activity that delivered; ids only."""
    spans = {span.name for span in collector.spans}
    told = [span for span in collector.spans if span.name == "StartWorkflowUpdate:Answered"]
    assert told
    [took] = [span for span in collector.spans if span.name == "HandleUpdate:Answered"][:1]
    assert {link.trace_id for link in took.links} & {span.trace_id for span in told}, "one leads to the other"
    assert spans >= {"RunWorkflow:mentorship", "RunActivity:deliver"}, spans
    for word in ("Grace", "Deepak", "parts.example.org"):
        assert word not in str(collector.spans)


def _as_it_is_logged(folder: Path) -> None:
    """One JSON object a line, that names nobody and tells no secret."""
    for name in ("worker.log", "web.log"):
        text = (folder / name).read_text()
        lines = [json.loads(line) for line in text.splitlines()]
        assert {line["event"] for line in lines} & {"worker_runs", "pages_run"}
        assert all(line.keys() >= {"event", "level", "timestamp"} for line in lines)
        for word in ("Grace", "Deepak", "parts.example.org", SECRET):
            assert word not in text
        rounds = [line for line in lines if line["event"] == "delivered"]
        assert sum(line.get("sent", 0) for line in rounds) >= 4 if name == "worker.log" else not rounds
