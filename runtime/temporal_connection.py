"""The Temporal server of this process, and the source of its address.

`TEMPORAL_ADDRESS`, `TEMPORAL_PROFILE` or `TEMPORAL_CONFIG_FILE`, in the environment or in `.env`, come first; then
the embedded stack of the data folder; then the SDK's own profile file; then this machine. Once an embedded stack has
run in the data folder, only that is meant: while it is down, no other server is reached.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from temporalio.envconfig import ClientConfig, ClientConnectConfig

from runtime import running_stack
from runtime.environment import environment
from runtime.errors import Unreachable
from runtime.settings import Settings, stack_of, temporal_is_named

Source = Literal["environment", "embedded stack", "default"]


@dataclass(frozen=True, slots=True)
class TemporalConnection:
    """The address of Temporal and how to connect."""

    options: ClientConnectConfig
    named_by: Source

    @property
    def address(self) -> str:
        """`host:port`."""
        return str(self.options.get("target_host"))


class StackDown(Unreachable):
    """The embedded stack of the data folder does not run; the message has the remedy."""


def temporal_connection(settings: Settings | None = None) -> TemporalConnection:
    """The connection of this installation. Raises StackDown."""
    settings = settings or Settings()
    record = stack_of(settings)
    options = ClientConfig.load_client_connect_config(override_env_vars=environment())
    if temporal_is_named():
        options.setdefault("target_host", "127.0.0.1:7233")
        return TemporalConnection(options, "environment")
    if record is not None:
        if not running_stack.runs(settings.data):
            raise StackDown(stack_down(settings))
        return TemporalConnection(
            ClientConnectConfig(target_host=record.temporal, namespace=record.namespace), "embedded stack"
        )
    options.setdefault("target_host", f"127.0.0.1:{settings.temporal_port}")
    return TemporalConnection(options, "default")


def stack_down(settings: Settings) -> str:
    """What to say, and on a second line what to do, where the embedded stack of the data folder does not run."""
    return (
        f"The embedded stack of {settings.data.absolute()} is not running.\n"
        "Start it (`mentorship up`), or set TEMPORAL_ADDRESS to the Temporal server that you mean."
    )
