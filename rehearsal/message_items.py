"""Messages of coordinators in a rehearsed season: which mentorships decide about one, and when it waits no more.

The rules are those of `lifecycle.delivery.messages`; nothing here may decide otherwise.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from lifecycle.delivery.holds import Standstill
from lifecycle.delivery.messages import MessagePlace
from lifecycle.delivery.postbox import DropReason
from rehearsal.records import QueuedItem, Running, SimulatedPostbox

if TYPE_CHECKING:
    from rehearsal.season import RehearsedSeason


def stand_still(
    season: RehearsedSeason,
    postbox: SimulatedPostbox,
    key: str,
    letter: QueuedItem,
    running: Running,
    still: Standstill,
) -> None:
    """A message waits no more for a standstill that ends, or goes out no more where what is held is withheld."""
    if letter.state != "held" or letter.message is None or running not in letter.message:
        return
    if still.withheld and letter.message == (running,):
        season.drop(postbox, key, DropReason.OVER)
    elif not still and not still.withheld:
        letter.state = "queued"
        season.look_later(postbox, season.moment(postbox, letter.post))


def places(season: RehearsedSeason, letter: QueuedItem) -> Iterator[MessagePlace]:
    """The mentorships that decide about a message: those that it is about, or all of its reader's."""
    for running in letter.message or season.running.values():
        member = running.state.member(letter.post.person)
        if member is not None:
            still = running.still if letter.message else Standstill()
            yield MessagePlace(running.state.key, member.standing, still)
