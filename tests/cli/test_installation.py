"""Looking after an installation: what is wrong is said with what to do, and fixed where that was asked for."""

from __future__ import annotations

import asyncio
import signal
import socket
import sys
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from temporalio.client import Client
from temporalio.service import RPCError

from operations.health import worker as worker_check
from operations.health.missing_workflows import check
from operations.health.worker import examine_worker
from runtime.settings import load_settings
from store.database import is_migrated
from testing.environments.cli_env import CommandResult, ConfigFolder, mentorship
from testing.servers.dev_server import Address, cleared, free_port
from tests.cli.conftest import CliEnv, settle
from tests.cli.test_killed import process

ROOT = Path(__file__).parent.parent.parent
WEAK = "a" * 40


def found(said: CommandResult) -> dict[str, str]:
    """What was looked at, and how it stands."""
    return {one["what"]: one["state"] for one in said.json}


def test_where_nothing_answers_each_finding_says_what_to_do(installation: pytest.MonkeyPatch) -> None:
    said = mentorship("doctor", "--json")
    assert said.code == 1
    assert found(said) == {
        "secret": "good", "public URL": "warning", "database": "fault", "Temporal": "fault", "mail relay": "fault",
        "pages": "warning", "sender": "warning",
    }  # fmt: skip
    assert all(one["remedy"] for one in said.json if one["state"] in ("warning", "fault"))
    shown = mentorship("doctor")
    assert "mentorship migrate" in shown.out
    assert "TEMPORAL_ADDRESS" in shown.out
    assert "3 faults to fix" in shown.err


@pytest.mark.parametrize(
    ("variable", "value", "what", "state", "says"),
    [
        ("MENTORSHIP_SECRET", "", "secret", "fault", "there is no secret"),
        ("MENTORSHIP_SECRET", "short", "secret", "fault", "shorter than 32"),
        ("MENTORSHIP_SECRET", WEAK, "secret", "fault", "easily guessed"),
        ("MENTORSHIP_PUBLIC_URL", "mentoring.example.org", "public URL", "fault", "is no address"),
        ("MENTORSHIP_PUBLIC_URL", "http://mentoring.invalid", "public URL", "fault", "over an open line"),
        ("MENTORSHIP_PUBLIC_URL", "http://localhost:9", "public URL", "warning", "only this machine"),
        ("MENTORSHIP_PUBLIC_URL", "https://mentoring.invalid", "proxies", "warning", "nobody is limited by address"),
        ("MENTORSHIP_MAIL_FROM", "x@localhost.localdomain", "sender", "warning", "x@localhost.localdomain"),
        ("MENTORSHIP_REDIRECT_ALL_TO", "me@example.org", "staging guard", "warning", "every mail goes to"),
        ("MENTORSHIP_SPEED", "3600", "clock", "warning", "3600 times as fast"),
        ("MENTORSHIP_SMTP_HOST", "relay.invalid", "mail relay", "fault", "relays on this machine only"),
        ("MENTORSHIP_DATABASE_URL", "postgresql://u:hidden@127.0.0.1:9/x", "database", "fault", "u:***@127.0.0.1"),
    ],
)
def test_a_setting_that_makes_no_sense_is_found(
    installation: pytest.MonkeyPatch, variable: str, value: str, what: str, state: str, says: str
) -> None:
    installation.setenv(variable, value)
    said = mentorship("doctor", "--json")
    [finding] = [one for one in said.json if one["what"] == what]
    assert finding["state"] == state
    assert says in finding["says"]
    assert "hidden" not in said.out


def test_a_setting_that_cannot_be_read_is_named(installation: pytest.MonkeyPatch) -> None:
    installation.setenv("MENTORSHIP_SMTP_SECURITY", "perhaps")
    said = mentorship("status")
    assert said.code == 1
    assert said.err.startswith("MENTORSHIP_SMTP_SECURITY: ")
    assert "Traceback" not in said.err


def test_migrate_makes_the_database_and_doctor_fix_does_too(installation: pytest.MonkeyPatch, tmp_path: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path / 'other.db'}"
    installation.setenv("MENTORSHIP_DATABASE_URL", url)
    assert found(mentorship("doctor", "--fix", "--json"))["database"] == "fixed"
    assert is_migrated(url)
    assert found(mentorship("doctor", "--json"))["database"] == "good"
    assert "Up to date already" in mentorship("migrate").out


async def test_a_running_installation_is_in_good_health(cli_env: CliEnv) -> None:
    said = await cli_env.mentorship("doctor", "--json")
    assert said.code == 0, said.out
    good = {
        "database", "deliveries", "answers", "mentorships", "Temporal", "search attributes", "worker", "mail relay",
    }  # fmt: skip
    assert {what for what, state in found(said).items() if state == "good"} >= good
    [namespace] = [one for one in said.json if one["what"] == "namespace"]
    assert namespace["says"] == "default keeps closed workflows for 1 days", "a development server forgets soon"
    assert "--retention 90d" in namespace["remedy"]


async def test_what_was_restored_is_compared_with_what_was_not(cli_env: CliEnv, config_folder: ConfigFolder) -> None:
    await cli_env.mentorship("launch", str(config_folder.cohort("restored", ["m1"])), "--yes")

    async def agree() -> bool:
        said = await cli_env.mentorship("reconcile", "--restored", "temporal", "--dry-run")
        return said.out == "✓ Database and Temporal agree.\n"

    await cli_env.until(agree)
    await cli_env.client.get_workflow_handle("cohort/restored").terminate()
    shown = await cli_env.mentorship("reconcile", "--restored", "temporal", "--dry-run")
    assert shown.out.startswith("✓ restored: its workflow does not run")
    assert "Nothing was done: this was a dry run." in shown.out
    said = await cli_env.mentorship("reconcile", "--restored", "temporal", "--json")
    assert [(one["kind"], one["what"], one["fixed"]) for one in said.json] == [("cohort", "restored", True)]
    assert (await cli_env.mentorship("reconcile", "--restored", "temporal", "--json")).json == []
    assert (await cli_env.mentorship("reconcile", "--dry-run")).out == "✓ Database and Temporal agree.\n"


async def test_a_terminated_mentorship_is_shown_everywhere_and_started_again(
    cli_env: CliEnv, config_folder: ConfigFolder
) -> None:
    file = str(config_folder.cohort("ended", ["m1", "m2"]))
    await cli_env.mentorship("launch", file, "--yes")
    assert found(await cli_env.mentorship("doctor", "--json"))["workflows"] == "good"
    await cli_env.client.get_workflow_handle("mentorship/ended/m1").terminate()

    async def doctor_knows() -> bool:
        return found(await cli_env.mentorship("doctor", "--json"))["workflows"] == "fault"

    await cli_env.until(doctor_knows)
    said = await cli_env.mentorship("doctor")
    assert said.code == 1
    assert "mentorships must run and have none in Temporal: ended/m1 (terminated)" in said.out
    assert "mentorship reconcile" in said.out
    assert "m1 must run and have no workflow in Temporal" in (await cli_env.mentorship("launch", file)).out
    refused = await cli_env.mentorship("nudge", "ended/m1", "--yes")
    assert "its workflow is missing in Temporal; `mentorship reconcile`" in refused.out + refused.err
    await check(cli_env.database, cli_env.client, cli_env.settings)
    assert "1 have no workflow in Temporal" in (await cli_env.mentorship("status", "ended")).out
    assert (
        "✓ ended/m1: it runs in the database, and Temporal has it as terminated"
        in (await cli_env.mentorship("reconcile")).out
    )
    assert found(await cli_env.mentorship("doctor", "--json"))["workflows"] == "good"
    assert "have no workflow" not in (await cli_env.mentorship("status", "ended")).out
    assert (await cli_env.mentorship("nudge", "ended/m1", "--yes")).code == 0


async def test_a_namespace_that_is_not_there_is_found(cli_env: CliEnv, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEMPORAL_NAMESPACE", "nowhere")
    said = await cli_env.mentorship("doctor", "--json")
    assert said.code == 1
    assert found(said)["namespace"] == "fault"
    status = await cli_env.mentorship("status")
    assert status.code == 0, "reading needs no Temporal"


async def test_web_serves_the_pages_while_temporal_is_away_and_ends_in_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settle(monkeypatch, tmp_path)
    port = free_port()
    monkeypatch.setenv("MENTORSHIP_WEB_PORT", str(port))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    assert (await asyncio.to_thread(mentorship, "migrate")).code == 0
    code = "from cli.main import main; main()"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, "web", stderr=asyncio.subprocess.DEVNULL
    )
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as http, asyncio.timeout(60):
            while True:
                try:
                    answer = await http.get("/readyz")
                    break
                except httpx.ConnectError:
                    assert process.returncode is None, "it ended by itself"
                    await asyncio.sleep(0.05)
        assert answer.text == "ready\n"
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(30):
            assert await process.wait() == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


@pytest.mark.parametrize("command", ["worker", "web"])
def test_a_process_that_cannot_work_says_so_at_once(installation: pytest.MonkeyPatch, command: str) -> None:
    without_tables = mentorship(command)
    assert without_tables.code == 3
    assert "mentorship migrate" in without_tables.err
    installation.setenv("MENTORSHIP_SECRET", "")
    without_secret = mentorship(command)
    assert without_secret.code == 3
    assert "MENTORSHIP_SECRET must be at least 32 characters" in without_secret.err


def test_a_port_that_is_taken_is_named(installation: pytest.MonkeyPatch) -> None:
    assert mentorship("migrate").code == 0
    with socket.create_server(("127.0.0.1", 0)) as taken:
        installation.setenv("MENTORSHIP_METRICS_PORT", str(taken.getsockname()[1]))
        said = mentorship("web")
    assert said.code == 3
    assert "choose another port: MENTORSHIP_METRICS_PORT" in said.err


async def postmaster_queue(client: Client) -> str:
    """The task queue of the first postmaster; empty where none has been started."""
    try:
        return (await client.get_workflow_handle("postmaster/0").describe()).task_queue
    except RPCError:
        return ""


async def test_a_worker_that_was_killed_is_a_fault_at_once(
    dev_server: Address, installation: pytest.MonkeyPatch
) -> None:
    installation.setenv("TEMPORAL_ADDRESS", dev_server.temporal)
    client = await cleared(dev_server)
    queue = load_settings().task_queue
    assert (await asyncio.to_thread(mentorship, "migrate")).code == 0
    never = await examine_worker(client, queue)
    assert (never.state, never.says) == ("fault", f"no worker takes work from the task queue {queue!r}")
    async with process("worker") as worker:
        async with asyncio.timeout(150):
            while (await examine_worker(client, queue)).state != "good" or await postmaster_queue(client) != queue:
                await asyncio.sleep(0.1)
        # Later than just now, and the postmaster has been started: it is asked, and answers.
        installation.setattr(worker_check, "JUST_NOW", timedelta(0))
        assert (await examine_worker(client, queue)).state == "good"
        worker.kill()
        await worker.wait()
    installation.setattr(worker_check, "ANSWERS_WITHIN", timedelta(seconds=3))
    gone = await examine_worker(client, queue)
    assert gone.state == "fault"
    assert "and does not answer now" in gone.says
    assert "mentorship worker" in gone.remedy


async def test_a_worker_that_asked_for_work_long_ago_is_a_fault(
    cli_env: CliEnv, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue = cli_env.settings.task_queue

    async def asks() -> bool:
        return (await examine_worker(cli_env.client, queue)).state == "good"

    await cli_env.until(asks)
    monkeypatch.setattr(worker_check, "ASKS_WITHIN", timedelta(seconds=-1))
    late = await examine_worker(cli_env.client, queue)
    assert late.state == "fault"
    assert f"no worker takes work from the task queue {queue!r}; one last did" in late.says


def test_a_worker_without_temporal_says_so_at_once(installation: pytest.MonkeyPatch) -> None:
    assert mentorship("migrate").code == 0
    said = mentorship("worker")
    assert said.code == 3
    assert "Temporal does not answer at 127.0.0.1:9" in said.err
