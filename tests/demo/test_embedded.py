"""The embedded stack as a person runs it: a process of its own, addresses to open, Ctrl-C to end it."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import signal
import smtplib
import socket
import stat
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import httpx
from sqlalchemy import select

from cli.console import UNREACHABLE
from demo.season import CONFIG, at_once
from demo.visitor import tokens_in
from embedded.stack import Stack, running
from lifecycle.local_time import local_date
from operations.cohorts.launch import launch
from operations.health.backup import back_up
from program.loader import load_cohort
from runtime import running_stack
from runtime.settings import Settings
from store.database import migrate
from store.tables import MembershipRow, MentorshipRow
from testing.environments.web_env import hidden

ROOT = Path(__file__).parent.parent.parent
VARIABLES = {
    "MENTORSHIP_SMTP_PORT": 0,
    "MENTORSHIP_WEB_PORT": 0,
    "MENTORSHIP_INBOX_PORT": 0,
    "MENTORSHIP_TEMPORAL_PORT": 0,
    "MENTORSHIP_TEMPORAL_UI_PORT": 0,
}
"""0 takes any free port."""


class Running:
    """An embedded stack in a process of its own."""

    def __init__(self, data: Path, **variables: int) -> None:
        environment = os.environ | {name: str(port) for name, port in (VARIABLES | variables).items()}
        self.process = subprocess.Popen(
            [str(Path(sys.executable).with_name("mentorship")), "up"],
            cwd=ROOT,
            env=environment | {"MENTORSHIP_DATA": str(data)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def addresses(self) -> dict[str, str]:
        """What it prints when everything runs."""
        assert self.process.stdout is not None
        found: dict[str, str] = {}
        for line in self.process.stdout:
            if address := re.match(r"  (\S.*?)\s{2,}(\S+)", line):
                found[address[1]] = address[2]
            if line.startswith("  Data"):
                break
        return found

    def end(self) -> tuple[int, str]:
        """Ctrl-C; the exit status and what was said on standard error."""
        self.process.send_signal(signal.SIGINT)
        _, said = self.process.communicate(timeout=60)
        return self.process.returncode, said


@contextmanager
def embedded(data: Path, **variables: int) -> Iterator[Running]:
    """An embedded stack that is gone at the end of the block, whatever happens."""
    running = Running(data, **variables)
    try:
        yield running
    finally:
        if running.process.poll() is None:
            running.process.kill()
            running.process.communicate()


def alive(pid: int) -> bool:
    """Whether a process still runs."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"


def children_of(pid: int) -> list[int]:
    """Process ids of everything below a process."""
    below = [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return below + [further for child in below for further in children_of(child)]


def wait_until(true: Callable[[], bool], within: float = 30) -> bool:
    """Whether something became true in time (real seconds)."""
    until = time.monotonic() + within
    while not true() and time.monotonic() < until:
        time.sleep(0.02)
    return true()


def test_every_address_answers_and_ctrl_c_ends_every_process(tmp_path: Path) -> None:
    with embedded(tmp_path) as stack:
        addresses = stack.addresses()
        for name in ("Coordinators", "Inbox", "Pages", "Temporal UI"):
            assert httpx.get(addresses[name], follow_redirects=True).status_code == 200, name
        with httpx.Client(follow_redirects=True) as client:
            today = client.post(addresses["Sign in"])
            assert (today.status_code, str(today.url)) == (200, addresses["Coordinators"])
        assert stat.S_IMODE((tmp_path / "secret").stat().st_mode) == 0o600
        processes = [stack.process.pid, *children_of(stack.process.pid)]
        assert len(processes) > 1
        status, said = stack.end()
    assert (status, "Traceback" in said) == (0, False), said
    assert not any(alive(pid) for pid in processes)


def modes(folder: Path) -> dict[str, int]:
    """What is readable or writable for others in a folder, and in the folders within."""
    return {
        str(path.relative_to(folder.parent)): stat.S_IMODE(path.lstat().st_mode)
        for path in (folder, *folder.rglob("*"))
        if path.lstat().st_mode & 0o077
    }


def test_nobody_else_on_the_machine_can_read_what_it_keeps(tmp_path: Path) -> None:
    """Databases with their logs, mails, and what Temporal writes; also where an earlier release made the folder."""
    loose, fresh = tmp_path / "loose", tmp_path / "fresh" / "data"
    (loose / "inbox").mkdir(parents=True)
    migrate(f"sqlite:///{loose / 'mentorship.db'}")
    (loose / "inbox" / "000001.eml").write_bytes(b"Delivered-To: a@example.org\r\nSubject: x\r\n\r\nx\r\n")
    (loose / "notes.txt").write_text("not ours")
    for path in (loose, *loose.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    for data in (loose, fresh):
        with embedded(data) as stack:
            assert stack.addresses()
            mailbox = json.loads((data / running_stack.RECORD).read_text())["smtp"]
            host, _, port = mailbox.partition(":")
            with smtplib.SMTP(host, int(port)) as client:
                client.sendmail("a@example.org", ["b@example.org"], "Subject: hello\r\n\r\nhello\r\n")
            kept = {path.name for path in data.rglob("*")}
            assert {"mentorship.db", "mentorship.db-wal", "mentorship.db-shm", "temporal.db", "secret"} <= kept
            assert any(name.endswith(".eml") for name in kept)
            assert modes(data) == ({"loose/notes.txt": 0o644} if data is loose else {})
            stack.end()


def test_nothing_is_left_when_it_is_killed(tmp_path: Path) -> None:
    with embedded(tmp_path) as stack:
        stack.addresses()
        processes = children_of(stack.process.pid)
        stack.process.kill()
        stack.process.communicate()
        assert wait_until(lambda: not any(alive(pid) for pid in processes))


def test_a_taken_port_is_named_with_what_to_do(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with embedded(tmp_path, MENTORSHIP_WEB_PORT=port) as stack:
            _, said = stack.process.communicate(timeout=60)
    assert stack.process.returncode == UNREACHABLE
    assert f"port {port} of this machine, where the pages should be, is taken" in said
    assert f"MENTORSHIP_WEB_PORT={port + 1}" in said


def quick(data: Path) -> Settings:
    """Settings of a stack by whose clock a day takes two seconds."""
    return Settings(
        _env_file=None,  # pyright: ignore[reportCallIssue]
        data=data,
        speed=50_000,
        epoch=datetime.now(UTC),
        mail_from="mentoring@example.org",
    )


async def launch_two_pairs(stack: Stack) -> None:
    """Launch two pairs, and wait until all four people are invited."""
    loaded = load_cohort(CONFIG / "cohorts" / "demo.yaml")
    # Without the call: at this speed it would be over before anybody could apply.
    pairs = {"apply": None, "wishes": None, "mentorships": loaded.cohort.mentorships[2:]}
    loaded = replace(loaded, cohort=loaded.cohort.model_copy(update=pairs))
    loaded = at_once(loaded, local_date(stack.now(), loaded.cohort.zone), stack.settings.clock, 0)
    await launch(stack.database, stack.client, stack.settings, loaded, stack.now())
    await mails(stack, 4)


async def test_a_second_start_goes_on_where_the_first_ended(tmp_path: Path) -> None:
    settings = quick(tmp_path)
    async with running(settings, any_port=True) as first:
        await launch_two_pairs(first)
        invited = {mail.id for mail in first.inbox.received}
    async with running(settings, any_port=True) as second:
        assert second.settings.secret == first.settings.secret
        assert {mail.id for mail in second.inbox.received} == invited
        # Nobody answers; the reminders that fell due meanwhile, or fall due now, come, and nothing comes twice.
        await mails(second, 8)
        assert max(Counter(mail.id for mail in second.inbox.received).values()) == 1
        async with second.database.session() as session:
            states = list(await session.scalars(select(MentorshipRow.state)))
        assert states == ["running", "running"]


async def test_a_season_goes_on_from_a_backup_when_the_data_folder_is_lost(tmp_path: Path) -> None:
    """As docs/operations.md says it: back up while it runs, lose the folder, copy the files back, start."""
    data, kept = tmp_path / "data", tmp_path / "backups" / "monday"
    settings = quick(data)
    async with running(settings, any_port=True) as first:
        await launch_two_pairs(first)
        copied = await back_up(first.settings, kept)
        invited = {mail.id for mail in first.inbox.received}
        [token, *_] = tokens_in(first.inbox.received[0].raw)
    assert {one.name for one in copied} == {"temporal.db", "mentorship.db", "secret"}
    shutil.rmtree(data)
    shutil.copytree(kept, data)
    async with running(settings, any_port=True) as second:
        # The link in a mail that was sent before the backup leads to its form, and the workflow takes the answer.
        async with httpx.AsyncClient(base_url=second.addresses.pages, follow_redirects=True) as client:
            form = await client.get(f"/f/{token}")
            assert form.status_code == 200
            sent = await client.post(f"/f/{token}", data=hidden(form.text) | {"accept": "yes"})
        assert "Thank you" in sent.text

        async def accepted() -> bool:
            async with second.database.session() as session:
                seats = select(MembershipRow.person).where(MembershipRow.standing == "accepted")
                return await session.scalar(seats) is not None

        async with asyncio.timeout(60):
            while not await accepted():
                await asyncio.sleep(0.1)
        # What falls due comes, once; what was sent before the backup does not come again.
        await mails(second, 3)
        sent_again = Counter(mail.id for mail in second.inbox.received)
        assert max(sent_again.values()) == 1
        assert invited.isdisjoint(sent_again)


async def mails(stack: Stack, number: int) -> None:
    """Wait until so many mails have arrived."""
    async with asyncio.timeout(60):
        while len(stack.inbox.received) < number:
            await asyncio.sleep(0.02)
