"""The addresses of the Temporal UI."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote


@dataclass(frozen=True, slots=True)
class TemporalUI:
    """One Temporal UI. `address` is like `http://127.0.0.1:8233`."""

    address: str
    namespace: str

    @property
    def workflows(self) -> str:
        """The list of all workflows."""
        return f"{self.address}/namespaces/{self.namespace}/workflows"

    def workflow(self, id_: str) -> str:
        """The page of the workflow with this id."""
        return f"{self.workflows}/{quote(id_, safe='')}"
