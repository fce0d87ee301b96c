"""What the embedded stack writes down of itself, and that every other process of the machine follows it."""

from __future__ import annotations

import json
import os
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.console import UNREACHABLE
from runtime import running_stack
from runtime.running_stack import BrokenRecord, StackRecord
from tests.demo.test_embedded import ROOT, embedded

BIN = Path(sys.executable).with_name("mentorship")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The data folder of a running embedded stack, all of whose ports are other than usual."""
    folder = tmp_path_factory.mktemp("stack") / "data"
    folder.mkdir()
    with embedded(folder) as stack:
        stack.addresses()
        yield folder


def mentorship(folder: Path, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """The command in a folder of its own, told nothing but these variables."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("MENTORSHIP_", "TEMPORAL_"))}
    return subprocess.run(
        [BIN, *words], cwd=folder, env=plain | variables, capture_output=True, text=True, timeout=120, check=False
    )


def record_of(data: Path) -> StackRecord:
    """What the stack wrote."""
    found = running_stack.read(data)
    assert found is not None
    return found


def test_the_record_says_what_runs_where_and_holds_no_secret(data: Path) -> None:
    path = data / running_stack.RECORD
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert (data / "secret").read_text().strip() not in path.read_text()
    assert running_stack.runs(data)
    os.kill(record_of(data).pid, 0)
    host, _, port = record_of(data).temporal.partition(":")
    socket.create_connection((host, int(port))).close()


def test_commands_reach_the_stack_of_their_data_folder_whatever_its_ports(data: Path, tmp_path: Path) -> None:
    said = mentorship(tmp_path, "register", MENTORSHIP_DATA=str(data))
    assert (said.returncode, said.stderr) == (0, "")
    assert "All of them were registered before." in said.stdout


def test_doctor_finds_no_fault_in_a_running_stack(data: Path, tmp_path: Path) -> None:
    said = mentorship(tmp_path, "doctor", "--json", MENTORSHIP_DATA=str(data))
    found = {one["what"]: one for one in json.loads(said.stdout)}
    assert [one for one in found.values() if one["state"] == "fault"] == []
    assert record_of(data).temporal in found["Temporal"]["says"]
    assert record_of(data).smtp in found["mail relay"]["says"]
    assert record_of(data).pages in found["pages"]["says"]
    assert str(record_of(data).pid) in found["embedded stack"]["says"]


def test_a_dot_env_file_names_temporal_for_every_command(data: Path, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(f"TEMPORAL_ADDRESS={record_of(data).temporal}\nTEMPORAL_NAMESPACE=nowhere\n")
    said = mentorship(tmp_path, "doctor", "--json")
    found = {one["what"]: one for one in json.loads(said.stdout)}
    assert record_of(data).temporal in found["Temporal"]["says"]
    assert "there is no namespace 'nowhere'" in found["namespace"]["says"]
    wins = mentorship(tmp_path, "register", TEMPORAL_NAMESPACE="default")
    assert wins.returncode == 0, wins.stderr


def test_a_server_named_by_the_environment_wins_and_doctor_tells(data: Path, tmp_path: Path) -> None:
    elsewhere = {"MENTORSHIP_DATA": str(data), "TEMPORAL_ADDRESS": "127.0.0.1:9"}
    assert "does not answer at 127.0.0.1:9" in mentorship(tmp_path, "register", **elsewhere).stderr
    said = mentorship(tmp_path, "doctor", "--json", **elsewhere)
    found = {one["what"]: one for one in json.loads(said.stdout)}
    assert (found["embedded stack"]["state"], found["Temporal"]["state"]) == ("warning", "fault")
    assert "Commands go to 127.0.0.1:9" in found["embedded stack"]["remedy"]


def test_a_second_stack_on_the_same_folder_is_refused(data: Path) -> None:
    with embedded(data) as second:
        _, said = second.process.communicate(timeout=60)
    assert second.process.returncode == UNREACHABLE
    assert f"process {record_of(data).pid}" in said
    assert running_stack.runs(data), "the first one runs on"


def test_when_the_stack_is_down_no_command_reaches_another_server(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with embedded(data) as stack, socket.create_server(("127.0.0.1", 0)) as other:
        stack.addresses()
        stack.process.kill()
        stack.process.communicate()
        assert not running_stack.runs(data)
        variables = {"MENTORSHIP_DATA": str(data), "MENTORSHIP_TEMPORAL_PORT": str(other.getsockname()[1])}
        for words in (("register",), ("launch", str(ROOT / "config/cohorts/small.yaml"), "--yes")):
            said = mentorship(ROOT, *words, **variables)
            assert said.returncode == UNREACHABLE
            assert f"The embedded stack of {data} is not running." in said.stderr
            assert "mentorship up" in said.stderr
        doctor = json.loads(mentorship(tmp_path, "doctor", "--json", **variables).stdout)
        assert [one["what"] for one in doctor if one["state"] == "fault"] == ["embedded stack"]
        other.settimeout(0.2)
        with pytest.raises(TimeoutError):
            other.accept()
        assert mentorship(tmp_path, "status", **variables).returncode == 0, "reading needs no Temporal"


def test_without_a_stack_the_port_of_the_settings_is_tried(tmp_path: Path) -> None:
    said = mentorship(tmp_path, "register", MENTORSHIP_TEMPORAL_PORT="9")
    assert "does not answer at 127.0.0.1:9" in said.stderr


def test_a_broken_record_is_named(tmp_path: Path) -> None:
    (tmp_path / running_stack.RECORD).write_text("{}")
    with pytest.raises(BrokenRecord, match="KeyError"):
        running_stack.read(tmp_path)
    said = mentorship(tmp_path, "status", MENTORSHIP_DATA=str(tmp_path))
    assert said.returncode == UNREACHABLE
    assert "or remove the file" in said.stderr
