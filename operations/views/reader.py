"""Who looks at a page of the coordinators' web, and what of answers and free text they may see there.

Must be asked before anything is put on a page: the pages decide nothing themselves.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from operations.forms.visibility import Viewer


@dataclass(frozen=True, slots=True)
class PageReader:
    """Somebody who is signed in. `roles`: cohort to the role in it; `id` is empty for one who takes part in none."""

    id: str
    roles: Mapping[str, str] = field(default_factory=dict[str, str])
    administrator: bool = False

    def viewer(self, cohort: str) -> Viewer:
        """How this person looks at a mentorship of the cohort."""
        role = self.roles.get(cohort, "")
        if role in ("coordinator", "deputy"):
            return "coordinator"
        return "administrator" if self.administrator else "reader"

    def reads_answers(self, cohort: str) -> bool:
        """Whether answers, reasons and notes of this cohort are for them."""
        return self.viewer(cohort) == "coordinator"
