"""Who would give back, and what became of those who said so a season before."""

from __future__ import annotations

from collections.abc import Mapping

from reports.rows import Index
from reports.tables import Table, counted

GOES_ON: Mapping[str, str] = {"mentees": "c_give", "mentors": "c_again"}
"""Who would mentor in the next round, to the question of the closure to which they say `yes`."""


def _said_yes(index: Index, question: str) -> list[str]:
    return [
        seat.person
        for role in index.roles
        for seat, answer in index.by_seat("closure", role).items()
        if answer is not None and answer.body.get(question) == "yes"
    ]


def came_back(earlier: Index, now: Index) -> list[Table]:
    """What became of those who said yes in an earlier season: one for each yes, as its report counts them."""
    here = {role: {seat.person for seat in now.seats[role]} for role in now.roles}
    found: list[Table] = []
    for lot, question in GOES_ON.items():
        said = _said_yes(earlier, question)
        place = f"again/{lot}"
        mentors, others = here.get("mentor", set()), here.get("mentee", set()) | here.get("peer", set())
        parts = {
            "mentor": ("mentor in this season", [one for one in said if one in mentors]),
            "other": ("in another role", [one for one in said if one in others - mentors]),
            "none": ("not in this season", [one for one in said if one not in mentors | others]),
        }
        found.append(
            Table(
                f"giving_back.{lot}", f"What became of last season’s {lot} who said yes", "answers",
                counted(f"{place}/all", "said yes last season", said),
                tuple(counted(f"{place}/{name}", label, people) for name, (label, people) in parts.items()),
            )
        )  # fmt: skip
    return found
