"""What an open call must have kept: no application lost or counted twice, pairs published, everybody told once."""

from __future__ import annotations

from collections.abc import Iterable

from demo.call import ROBOT, DemoCall
from demo.check import Check
from demo.season import DemoSeason
from store.people.applications import CONFIRM, NOBODY, WISHES

INVITATION = "invitation"


async def call_checks(season: DemoSeason) -> list[Check]:
    """The promises of the open call; none where there is none."""
    call = season.call
    if call is None:
        return []
    if not call.rows:
        await call.note_applications()
    checks = [_kept(call), _unwanted(call)]
    if call.published is None:
        if season.taken_over:
            checks.append(Check(True, "the pairs are published", "they wait until you publish them", waits=True))
        else:
            why = call.refused or "nobody has published them"
            checks.append(Check(False, "the pairs are published", why, speed=bool(call.crowd.late)))
        return checks
    await call.note_told()
    in_time = Check(
        not call.crowd.late, "everybody applied in time", f"{len(call.crowd.late)} were put on the waiting list",
        speed=True,
    )  # fmt: skip
    return [*checks, in_time, _paired(call), _told(call)]


def _kept(call: DemoCall) -> Check:
    """The applications that were confirmed and not withdrawn count, and no others."""
    crowd = call.crowd
    meant = frozenset(crowd.confirmed) - frozenset(crowd.withdrawn)
    lost, extra = sorted(meant - call.counted), sorted(call.counted - meant)
    counted = f"{len(set(crowd.sent))} applied, {len(crowd.withdrawn)} withdrew, {len(call.counted)} count"
    return Check(
        bool(meant) and not lost and not extra,
        "every application that was confirmed counts, and no other",
        f"{counted}{_some('lost', lost)}{_some('counted all the same', extra)}",
    )


def _unwanted(call: DemoCall) -> Check:
    """A program was turned away, and a second application changed nothing."""
    twice = sorted(address for address, rows in call.rows.items() if rows > 1)
    again = len(call.crowd.sent) - len(set(call.crowd.sent))
    kept = call.robots_refused == 1 and ROBOT not in call.rows and not twice and again > 0
    counted = f"{call.robots_refused} robot refused, {again} applied twice, {len(twice)} addresses stored twice"
    return Check(kept, "a robot gets in nowhere, and nobody counts twice", counted)


def _paired(call: DemoCall) -> Check:
    """Everybody who counted has a partner, or was told that there is nobody."""
    alone = frozenset(id_ for id_, name in call.told if name == NOBODY)
    left, both = sorted(call.counted - call.paired - alone), sorted(call.paired & alone)
    counted = f"{len(call.paired)} have a partner, {len(alone)} have nobody, of {len(call.counted)}"
    return Check(
        bool(call.paired) and not both and (not left or set(left) <= set(call.crowd.late)),
        "the pairs are published: everybody has a partner, or knows that there is nobody",
        f"{counted}{_some('left out', left)}{_some('told wrongly', both)}",
    )


def _told(call: DemoCall) -> Check:
    """Each of the mails of the call came once."""
    wrong: list[str] = []
    for id_ in call.counted - frozenset(call.crowd.late):
        expected = {WISHES: 1, INVITATION: int(id_ in call.paired), NOBODY: int(id_ not in call.paired)}
        wrong += [f"{id_} {name}" for name, times in expected.items() if call.told[id_, name] != times]
        # One confirmation for each application; of two in a row the first may not have left yet.
        if not 1 <= call.told[id_, CONFIRM] <= call.crowd.sent.count(id_):
            wrong.append(f"{id_} {CONFIRM}")
    counted = f"{sum(call.told.values())} mails to {len({id_ for id_, _ in call.told})} applicants"
    return Check(not wrong, "everybody was told everything once", f"{counted}{_some('not once', sorted(wrong))}")


def _some(what: str, found: Iterable[str]) -> str:
    named = list(found)[:3]
    return f"; {what}: {', '.join(named)}" if named else ""
