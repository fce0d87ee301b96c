"""The jobs that prepare a namespace, against a real server, as the compose file runs them: each can be repeated."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.client import Client

from testing.environments.cli_env import CommandResult, mentorship
from testing.servers.dev_server import Address
from tests.cli.conftest import settle
from workflows import search_attributes

SCRIPT = Path(__file__).parent.parent.parent / "deploy" / "temporal" / "namespace.sh"


def prepare(server: Address, namespace: str, retention: str) -> None:
    """What the job does; the command line of Temporal is the one beside this Python."""
    environment = {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "HOME": os.environ["HOME"],
        "TEMPORAL_ADDRESS": server.temporal, "NAMESPACE": namespace, "RETENTION": retention,
    }  # fmt: skip
    done = subprocess.run(["sh", SCRIPT], env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


async def test_a_namespace_is_made_brought_up_to_date_and_taught_our_attributes(
    dev_server: Address, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    namespace = f"ops-{uuid4().hex[:8]}"
    client = await Client.connect(dev_server.temporal)
    for retention, days in (("90d", 90), ("60d", 60), ("60d", 60)):
        await asyncio.to_thread(prepare, dev_server, namespace, retention)
        described = await client.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace=namespace))
        assert described.config.workflow_execution_retention_ttl.ToTimedelta() == timedelta(days=days)

    settle(monkeypatch, tmp_path)
    monkeypatch.setenv("TEMPORAL_ADDRESS", dev_server.temporal)
    monkeypatch.setenv("TEMPORAL_NAMESPACE", namespace)
    before = await asyncio.to_thread(mentorship, "doctor", "--json")
    assert _state(before, "namespace") == "good"
    assert _state(before, "search attributes") == "fault"
    first = await asyncio.to_thread(mentorship, "register")
    assert first.code == 0, first.err
    assert all(key.name in first.out for key in search_attributes.ALL)
    assert "registered before" in (await asyncio.to_thread(mentorship, "register")).out
    assert _state(await asyncio.to_thread(mentorship, "doctor", "--json"), "search attributes") == "good"


def _state(said: CommandResult, what: str) -> str:
    [finding] = [one for one in said.json if one["what"] == what]
    return finding["state"]
