"""What the script of a season lets happen: changes of a mentorship, and what befalls a person or the cohort.

A change of a mentorship is an event like any other. What befalls a person or the cohort is done here as the engine
does it in SQL, so that the ledgers are the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from hashlib import sha256

from lifecycle.commands import Post
from lifecycle.delivery import messages
from lifecycle.delivery.postbox import DropReason
from lifecycle.events import (
    Add,
    Cancel,
    Corrected,
    End,
    Event,
    Extend,
    Leave,
    Moved,
    Nudge,
    Pause,
    ProposeEnd,
    Release,
    Remove,
    Replace,
    Resume,
)
from lifecycle.keys import item_key
from lifecycle.local_time import begun_everywhere, local_date
from program.models import Cohort
from rehearsal.behaviour import ScriptedAction
from rehearsal.records import QueuedItem, SentMail, seats_of
from rehearsal.season import RehearsedSeason

BY = "script"


def zones_of(cohort: Cohort) -> dict[str, str]:
    """Participant id to the zone that the cohort's file gives them."""
    return {person.id: person.zone or cohort.zone for person in cohort.participants}


def happening(change: ScriptedAction, today: date, zones: Mapping[str, str]) -> Event | None:
    """The event that a line of the script stands for; None where it is about no single mentorship.

    `today` is the cohort's date, `zones` the zone of every participant.
    """
    [what] = change.what()
    id_ = f"change/{change.mentorship}/{change.on}/{what}"
    match what:
        case "pause":
            until = (change.begins or today) + timedelta(days=change.pause or 0)
            return Pause(id_, until, BY, begins=change.begins, tell=change.tell)
        case "pause_open":
            return Pause(id_, None, BY, begins=change.begins, tell=change.tell)
        case "resume":
            return Resume(id_, BY)
        case "extend":
            return Extend(id_, (change.extend or 0) // 7, BY)
        case "end":
            return End(id_, change.end or "", BY)
        case "propose_end":
            return ProposeEnd(f"{id_}/{change.propose_end}", change.propose_end or "")
        case "leave":
            return Leave(f"{id_}/{change.leave}", change.leave or "")
        case "replace":
            newcomer = change.newcomer or ""
            return Replace(f"{id_}/{newcomer}", change.replace or "", newcomer, zones[newcomer], BY)
        case "add":
            person = change.add or ""
            return Add(f"{id_}/{person}", person, change.role, zones[person], BY)
        case "remove":
            return Remove(f"{id_}/{change.remove}", change.remove or "", BY)
        case "nudge":
            return Nudge(id_, BY)
        case "release":
            return Release(id_, BY)
        case _:
            return None


def change_happens(season: RehearsedSeason, change: ScriptedAction) -> None:
    """A line of the script comes true, now."""
    event = happening(change, local_date(season.now, season.cohort.zone), zones_of(season.cohort))
    if event is not None:
        season.turn(season.running[change.mentorship or ""], event)
    elif change.cancel:
        cancel(season)
    elif change.message:
        message(season, change)
    elif change.bounce:
        season.postboxes[change.bounce].refuses = True
    elif change.correct:
        correct(season, change.correct, f"change/{change.on}/correct/{change.correct}")
    elif change.move:
        move(season, change.move, change.zone, f"change/{change.on}/move/{change.move}")


def message_id(change: ScriptedAction) -> str:
    """The id of a scripted message: the same in a rehearsal and in a real run."""
    words = "/".join((str(change.on), change.message, *about(change), *change.to))
    return sha256(words.encode()).hexdigest()[:12]


def about(change: ScriptedAction) -> tuple[str, ...]:
    """The mentorships that a scripted message is about; none: the whole cohort."""
    return change.mentorships or ((change.mentorship,) if change.mentorship else ())


def message(season: RehearsedSeason, change: ScriptedAction) -> None:
    """A coordinator's message goes into the postboxes of those whom it reaches."""
    if season.cancelled:
        return
    of = [season.running[key] for key in about(change)] or list(season.running.values())
    seats = [
        (one.state.key, (member.person, member.role, member.standing))
        for one in sorted(of, key=lambda one: one.state.key)
        for member in one.state.members
    ]
    for person, keys in messages.readers(seats, change.to).items():
        places = tuple(season.running[key] for key in keys)
        post = messages.post_of(season.cohort.cohort, message_id(change), person, season.now)
        postbox = season.postboxes[person]
        postbox.letters[post.key] = QueuedItem(post, season.now, places[0], message=places if about(change) else ())
        season.look_later(postbox, season.moment(postbox, post))


def cancel(season: RehearsedSeason) -> None:
    """The cohort is cancelled: everything stops, and all who have a seat, or an offer of one, get a plain mail."""
    running = [one for one in season.running.values() if not one.facts.over]
    if season.cancelled or not running:
        return
    season.cancelled = True
    invited = ("invited", "accepted", "silent")
    people = {seat.person for one in running for seat in one.state.members if seat.standing in invited}
    for one in season.running.values():
        for request in one.requests.values():
            if request.facts.state == "open":
                request.facts.state = "withdrawn"
    for postbox in season.postboxes.values():
        for key, letter in list(postbox.letters.items()):
            if not letter.post.task and letter.post.kind != "receipt":
                season.drop(postbox, key, DropReason.OVER)
    for one in running:
        season.turn(one, Cancel(f"cancel/{one.state.key}", BY))
    for person in sorted(people):
        _tell(season, person)


def _tell(season: RehearsedSeason, person: str) -> None:
    postbox = season.postboxes[person]
    cohort = season.cohort.cohort
    key = item_key(cohort, "all", "cancelled", 1, person, "urgent")
    if postbox.refuses:
        season.dropped.append((key, DropReason.BOUNCED, season.now, person))
        return
    post = Post(key, person, "urgent", "cancelled", 1, begun_everywhere(season.now), after_end=True)
    season.mails.append(SentMail(person, season.now, ((post, ""),)))


def correct(season: RehearsedSeason, person: str, id_: str) -> None:
    """Mail reaches somebody again: what their address did not take waits for the next letterbox."""
    postbox = season.postboxes[person]
    postbox.refuses = False
    postbox.person.standing = "active"
    season.dropped = [one for one in season.dropped if one[0] not in postbox.lost]
    for key, letter in postbox.lost.items():
        letter.state = "queued"
        postbox.letters[key] = letter
        season.look_later(postbox, season.moment(postbox, letter.post))
    postbox.lost.clear()
    for running in seats_of(season.running, person):
        season.turn(running, Corrected(f"{id_}/{running.state.key}", person, BY))


def move(season: RehearsedSeason, person: str, zone: str, id_: str) -> None:
    """Somebody lives in another zone: what waits for them, and what their mentorships wait for, has other moments."""
    postbox = season.postboxes[person]
    if postbox.person.zone == zone:
        return
    postbox.person.zone = zone
    postbox.look_at = None
    for letter in season.queued(postbox):
        season.look_later(postbox, season.moment(postbox, letter.post))
    for running in seats_of(season.running, person):
        season.turn(running, Moved(f"{id_}/{running.state.key}", person, zone))
