"""What decides about an item that waits in a simulated postbox, gathered from the record of the rehearsal.

The rules are those of `lifecycle.delivery.postbox`; nothing here may decide otherwise.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lifecycle.delivery import messages
from lifecycle.delivery.notices import TRUE_WHILE, NoticeFacts, facts_of
from lifecycle.delivery.postbox import ItemFacts
from rehearsal import message_items
from rehearsal.records import QueuedItem

if TYPE_CHECKING:
    from rehearsal.season import RehearsedSeason


def item_facts(season: RehearsedSeason, letter: QueuedItem) -> ItemFacts:
    """An item with the facts that decide about it."""
    post, running = letter.post, letter.mentorship
    task = season.tasks[post.task] if post.task else None
    task_open = task is None or task.closed is None
    request = mentorship = facts = None
    out, has_condition = False, post.name in TRUE_WHILE
    if running is not None:
        request = running.requests[post.request].facts if post.request else None
        member = running.state.member(post.person)
        # A person who has no seat in the mentorship gets the item as a coordinator.
        coordinators = bool(post.task) or member is None
        mentorship = None if coordinators else running.facts
        out = not coordinators and member is not None and member.standing == "out"
        if has_condition:
            facts = facts_of(running.state, post.person, task_open=task_open)
    elif has_condition:
        facts = NoticeFacts(task_open=task_open)
    if letter.message is not None:
        mentorship, out = messages.facts_of(message_items.places(season, letter))
    return ItemFacts(
        key=post.key,
        kind=post.kind,
        name=post.name,
        date=post.date,
        queued_at=letter.queued_at,
        rule=season.rule,
        request=request,
        mentorship=mentorship,
        out=out,
        after_end=post.after_end,
        number=post.number,
        about=post.about,
        facts=facts,
    )
