"""Who decides: the coordinator or deputy in whose name something is done."""

from __future__ import annotations

from collections.abc import Sequence

from operations.errors import Refused
from store.people.people import Decider


def who_decides(cohort: str, deciders: Sequence[Decider], by: str, *, signed_in: bool = False) -> str:
    """The id of who decides, by id, name or address; the cohort's only coordinator where nobody is named.

    `signed_in`: `by` is the id of an account whose right to decide here was checked, perhaps an administrator's.
    Raises `Refused` with those who may.
    """
    if signed_in and by:
        return by
    coordinators = [decider for decider in deciders if decider.role == "coordinator"]
    if not by and len(coordinators) == 1:
        return coordinators[0].id
    wanted = by.strip().casefold()
    for decider in deciders:
        if wanted and wanted in (decider.id.casefold(), decider.name.casefold(), decider.email.casefold()):
            return decider.id
    listed = ", ".join(f"{decider.id} ({decider.name})" for decider in deciders)
    raise Refused(
        f"{by!r} is no coordinator or deputy of {cohort}; there are {listed}"
        if by
        else f"say who decides: one of {listed}",
        use="decider",
    )
