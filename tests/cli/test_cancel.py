"""A cohort is cancelled from a terminal: shown, confirmed by typing its id, done. Temporal, SQL and mail are real."""

from __future__ import annotations

import asyncio
import os
import pty
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy import select
from temporalio.client import WorkflowExecutionStatus

from store.tables import CohortRow, EventRow, MentorshipRow, OperationRow, OutcomeRow, TaskRow
from testing.environments.cli_env import ConfigFolder, closed_now
from tests.cli.conftest import CliEnv, declined

ROOT = Path(__file__).parent.parent.parent
PAIRS = 12


def typed(words: list[str], answer: str) -> tuple[int, str]:
    """Type a command at a terminal, and an answer to what it asks; its exit code, and what the terminal showed."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-c", "from cli.main import main; main()", *words],
        stdin=theirs, stdout=theirs, stderr=theirs, env=os.environ | {"PYTHONPATH": str(ROOT), "COLUMNS": "160"},
    ) as process:  # fmt: skip
        os.close(theirs)
        os.write(ours, f"{answer}\n".encode())
        shown = b""
        while True:
            try:
                some = os.read(ours, 4096)
            except OSError:  # the terminal is closed with the last process that had it open
                break
            if not some:
                break
            shown += some
    os.close(ours)
    return process.returncode, shown.decode()


async def stopped(cli_env: CliEnv, name: str, keys: list[str]) -> bool:
    """Whether all of these workflows have ended."""
    handles = [cli_env.client.get_workflow_handle(f"mentorship/{name}/{key}") for key in keys]
    found = await asyncio.gather(*(handle.describe() for handle in handles))
    return all(one.status is WorkflowExecutionStatus.COMPLETED for one in found)


async def test_everything_stops_and_everybody_gets_one_mail(cli_env: CliEnv, tmp_path: Path) -> None:
    letterbox, _ = closed_now()  # the invitations wait
    path = ConfigFolder.at(tmp_path / "closed", letterbox).cohort("stops", PAIRS)
    # One person is in all of them.
    text = path.read_text()
    for n in range(2, PAIRS + 1):
        text = text.replace(f"mentor: stops-a{n},", "mentor: stops-a1,")
    path.write_text(text)
    assert (await cli_env.mentorship("launch", str(path), "--yes")).code == 0
    task = await declined(cli_env, "stops", "b2", "m2")
    keys = [f"m{n}" for n in range(1, PAIRS + 1)]

    shown = await cli_env.mentorship("cancel-cohort", "stops", "--dry-run")
    assert shown.code == 0
    assert f"ends        {PAIRS} mentorships, as cancelled" in shown.out
    assert f"told        {PAIRS} people, one mail each, at once" in shown.out
    for words, says in (
        ([], "write --confirm stops as well"),
        (["--confirm", "stop"], "--confirm stop is not stops"),
        (["--confirm", "stops", "--as", "nobody"], "'nobody' is no coordinator or deputy of stops"),
    ):
        refused = await cli_env.mentorship("cancel-cohort", "stops", *words)
        assert refused.code == 2
        assert says in refused.err
    code, said = await asyncio.to_thread(typed, ["cancel-cohort", "stops"], "stop")
    assert (code, "That is not its id. Nothing was cancelled." in said) == (2, True), said
    async with cli_env.database.session() as session:
        assert (await session.get_one(CohortRow, "stops")).state == "running"

    code, said = await asyncio.to_thread(typed, ["cancel-cohort", "stops", "--why", "no budget"], "stops")
    assert (code, f"stops is cancelled: {PAIRS} people are told" in said) == (0, True), said
    await cli_env.until(lambda: len([m for m in cli_env.sink.received if "@stops." in m.recipient]) >= PAIRS)
    mails = [mail for mail in cli_env.sink.received if "@stops." in mail.recipient]
    assert set(Counter(mail.recipient for mail in mails).values()) == {1}
    assert {str(mail.message["Subject"]) for mail in mails} == {"Trial has been cancelled"}
    assert "b2@stops.example.org" not in {mail.recipient for mail in mails}, "who has declined waits for nothing"
    await cli_env.until(lambda: stopped(cli_env, "stops", keys))
    async with cli_env.database.session() as session:
        rows = (await session.scalars(select(MentorshipRow).where(MentorshipRow.cohort == "stops"))).all()
        outcomes = (await session.scalars(select(OutcomeRow).where(OutcomeRow.cohort == "stops"))).all()
        event = (await session.scalars(select(EventRow).where(EventRow.name == "cancelled"))).first()
        operation = await session.get_one(OperationRow, "cancel/stops")
        assert (await session.get_one(TaskRow, task)).decision == "lapsed"
    assert {(row.state, row.phase, row.ending) for row in rows} == {("over", "closed", "cancelled")}
    assert {row.ending for row in outcomes} == {"cancelled"}
    assert event is not None
    assert (event.by, event.why, operation.why) == ("stops-c1", "no budget", "no budget")

    again = await cli_env.mentorship("cancel-cohort", "stops", "--json")
    assert (again.json["fresh"], again.json["left"]) == (False, 0)
    relaunched = await cli_env.mentorship("launch", str(path), "--yes")
    assert relaunched.code == 2
    assert "stops was cancelled; launch what comes next under another id" in relaunched.err


async def test_what_was_put_down_while_temporal_is_away_happens_by_itself(
    cli_env: CliEnv, config_folder: ConfigFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    await cli_env.mentorship("launch", str(config_folder.cohort("broken", 2)), "--yes")
    with monkeypatch.context() as away:
        away.setenv("TEMPORAL_ADDRESS", "127.0.0.1:9")
        said = await cli_env.mentorship("cancel-cohort", "broken", "--confirm", "broken")
    assert said.code == 0
    assert "What is recorded now is done as soon as Temporal and a worker are back." in said.err
    await cli_env.until(lambda: stopped(cli_env, "broken", ["m1", "m2"]))
    await cli_env.until(lambda: len([m for m in cli_env.sink.received if "@broken." in m.recipient]) == 4)
    said = await cli_env.mentorship("cancel-cohort", "broken", "--confirm", "broken")
    assert "broken was cancelled before. Nothing to do." in said.out
