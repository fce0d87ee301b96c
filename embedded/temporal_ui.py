"""The addresses of the Temporal UI."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TemporalUI:
    """One Temporal UI. `address` is like `http://127.0.0.1:8233`."""

    address: str
    namespace: str

    @property
    def workflows(self) -> str:
        """The list of all workflows."""
        return f"{self.address}/namespaces/{self.namespace}/workflows"
