"""The addresses of the Temporal UI: lists, and single workflows."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from workflows.ids import mentorship_id, postmaster_id


@dataclass(frozen=True, slots=True)
class TemporalUI:
    """One Temporal UI. `address` is like `http://127.0.0.1:8233`."""

    address: str
    namespace: str

    @property
    def workflows(self) -> str:
        """The list of all workflows."""
        return f"{self.address}/namespaces/{self.namespace}/workflows"

    def mentorship(self, cohort: str, key: str) -> str:
        """The workflow of a mentorship."""
        return self._workflow(mentorship_id(cohort, key))

    def postmaster(self, shard: int = 0) -> str:
        """The workflow that delivers the mail of a shard."""
        return self._workflow(postmaster_id(shard))

    def _workflow(self, id_: str) -> str:
        return f"{self.workflows}/{quote(id_, safe='')}"
