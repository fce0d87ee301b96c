"""The command `mentorship` for tests that type it many times: a process that has loaded everything forks for each
command, so that it is there at once. Folder, environment, streams and exit status are the command's own.

A shell finds it as `mentorship` in a folder on its PATH. What a start from nothing loads is not shown here:
tests/cli/test_help.py and the tests of the embedded stack start the installed command.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
CLIENT = """\
#!{python} -ISE
import json, os, socket, sys
with socket.socket(socket.AF_UNIX) as server:
    server.connect({address!r})
    told = json.dumps([sys.argv[1:], os.getcwd(), dict(os.environ)]).encode()
    socket.send_fds(server, [len(told).to_bytes(8, "big")], [0, 1, 2])
    server.sendall(told)
    answered = server.recv(1)
sys.exit(answered[0] if answered else "the command's process died")
"""


@contextmanager
def forking_command(folder: Path, env: dict[str, str]) -> Iterator[dict[str, str]]:
    """The environment in which a shell finds such a `mentorship`; `folder` must be empty, `env` is where it loads."""
    address = folder / "command"
    client = folder / "bin" / "mentorship"
    client.parent.mkdir()
    client.write_text(CLIENT.format(python=sys.executable, address=str(address)))
    client.chmod(0o755)
    server = subprocess.Popen(
        [sys.executable, "-m", "testing.servers.forking_command", address],
        cwd=ROOT, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert server.stdin is not None
    assert server.stdout is not None
    try:
        assert server.stdout.readline() == "ready\n"
        yield env | {"PATH": f"{client.parent}:{env['PATH']}"}
    finally:
        server.terminate()
        server.communicate(timeout=30)


def _load() -> Any:
    """Everything that a command can need, and the entry point."""
    from cli.main import COMMANDS, main

    for module in COMMANDS:
        import_module(f"cli.commands.{module}")
    for path in (
        path for room in ("operations", "store", "rehearsal", "mail") for path in (ROOT / room).rglob("*.py")
    ):
        if "migrations" not in path.parts:
            import_module(".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"))
    return main


def _carry_out(connection: socket.socket, main: Any) -> None:
    """One command, to its end."""
    length, streams, _, _ = socket.recv_fds(connection, 8, 3)
    told = b""
    while len(told) < int.from_bytes(length, "big"):
        told += connection.recv(1 << 20)
    words, folder, environment = json.loads(told)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    child = os.fork()
    if child == 0:
        connection.close()
        for number, stream in enumerate(streams):
            os.dup2(stream, number)
            os.close(stream)
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(environment)
        sys.argv = ["mentorship", *words]
        main()  # leaves the process
    for stream in streams:
        os.close(stream)
    _, status = os.waitpid(child, 0)
    connection.sendall(bytes([os.waitstatus_to_exitcode(status) % 256]))


def _serve(address: str) -> None:
    main = _load()
    assert len(os.listdir("/proc/self/task")) == 1, "a process with threads must not fork"
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # processes that have ended leave no zombies
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(address)
        listener.listen()
        print("ready", flush=True)
        while True:
            connection, _ = listener.accept()
            if os.fork() == 0:
                listener.close()
                _carry_out(connection, main)
                os._exit(0)
            connection.close()


if __name__ == "__main__":
    _serve(sys.argv[1])
