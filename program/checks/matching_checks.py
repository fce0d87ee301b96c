"""Whether what `matching:` reads exists, said at the line of the rule or score that reads it."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from program.faults import Fault, fault, nearest
from program.files.reading import Source, Trail
from program.matching import Matching


def fields_read(matching: Matching) -> Iterator[tuple[str, Trail]]:
    """Every field that rules and scores read, with where it is written, from `matching` on."""
    for index, rule in enumerate(matching.rules):
        if rule.field:
            yield rule.field, ("rules", index, rule.kind)
    for index, score in enumerate(matching.score):
        for key in (score.kind, "offered", "only_if"):
            name = score.field if key == score.kind else getattr(score, key)
            if name and score.kind != "wish":
                yield name, ("score", index, key)


def check_fields(matching: Matching, source: Source, known: Collection[str], where: str) -> Iterator[Fault]:
    """A fault for each field that is not `known`. `where`: what should have it, such as "the form `application`"."""
    told: set[str] = set()
    for name, trail in fields_read(matching):
        if name not in known and name not in told:
            told.add(name)
            near = nearest(name, sorted(known))
            hint = f"Did you mean `{near[0]}`? " if near else ""
            yield fault(
                source.place("matching", *trail),
                f"`matching:` reads `{name}`, and {where} has no such field",
                f"{hint}Add it there, or take it out here.",
            )
