"""One season over virtual time: a discrete-event simulation of every mentorship of a cohort.

It drives the same core (`lifecycle.advance`), the same postbox (`lifecycle.postbox`) and the same letterbox as the
running engine, so its ledger equals that of a real run. What happens at the same instant happens in this order:
what falls due, what people do, what is delivered.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from functools import partial

from lifecycle import assessment
from lifecycle.advance import advance, begin, next_moment
from lifecycle.batch import batch, silenced
from lifecycle.commands import Assess, Batch, Post
from lifecycle.delivery.holds import Standstill, fate_of
from lifecycle.delivery.letterbox import LetterboxRule, rule_of
from lifecycle.delivery.postbox import (
    LOOK_AFTER,
    DropReason,
    ItemFacts,
    PersonFacts,
    RequestFacts,
    logical_moment,
    look_at,
    record,
    sort_out,
)
from lifecycle.events import Answered, Assessed, Bounced, Decided, Event
from lifecycle.local_time import instant, local_date
from lifecycle.request_access import Access, access_of
from lifecycle.state import Member
from program.forms import Form
from program.models import Cohort, Mentorship, Program
from rehearsal import message_items
from rehearsal.behaviour import Behaviour, ScriptedAction
from rehearsal.gathering import OpenCall, RehearsedGathering
from rehearsal.item_facts import item_facts
from rehearsal.people import People, ReceivedRequest, Reply
from rehearsal.records import (
    AnswerRecord,
    QueuedItem,
    Request,
    Running,
    SentMail,
    SimulatedPostbox,
    TaskRecord,
    seats_of,
)
from rehearsal.uncollected import uncollected

DUE, ACT, DELIVER = range(3)
"""Order of what happens at the same instant."""

NOON = time(12, 0)

LONGEST = timedelta(days=25 * 366)
"""A season that is not over so long after its launch goes round in a circle: it is stopped, and the report states it.
Nothing that a person would do takes half as long."""


Script = Callable[["RehearsedSeason", ScriptedAction], None]
"""Lets one change of the script happen to a season, now."""


class RehearsedSeason:
    """A cohort that is rehearsed. `play()` runs it to its end; the record is in the fields."""

    def __init__(
        self,
        cohort: Cohort,
        programs: Mapping[str, Program],
        forms: Mapping[str, Mapping[str, Form]],
        behaviour: Behaviour,
        *,
        launched_at: datetime,
        script: Script,
        seed: int = 1,
        call: OpenCall | None = None,
    ) -> None:
        """`script` lets the changes of the behaviour file happen (`rehearsal.script_actions`). The applicants of an
        open call are participants of the cohort."""
        self.cohort = cohort
        self.programs = programs
        self.forms = forms
        self.seed = seed
        self.launched_at = launched_at
        self.behaviour = behaviour
        self.script = script
        self.people = People(behaviour, [person.id for person in cohort.participants], seed)
        self.rule: LetterboxRule = rule_of(programs[cohort.program].letterbox, cohort.holidays)
        self.now = launched_at
        self.stops_at = launched_at + LONGEST
        self.stopped = False
        """Whether it was stopped although it was not over."""
        self.queue: list[tuple[datetime, int, int, Callable[[], None]]] = []
        self.ticket = 0
        self.postboxes = {
            person.id: SimulatedPostbox(PersonFacts(person.id, person.zone or cohort.zone))
            for person in (*cohort.participants, *cohort.coordinators, *cohort.deputies)
        }
        self.mails: list[SentMail] = []
        self.dropped: list[tuple[str, DropReason, datetime, str]] = []
        self.answers: list[AnswerRecord] = []
        self.tasks: dict[str, TaskRecord] = {}
        self.decided: set[str] = set()
        self.cancelled = False
        self.running: dict[str, Running] = {}
        for mentorship in cohort.mentorships:
            self.add(mentorship)
        self.ready = frozenset(self.running)
        """Keys of the mentorships that stood in the file."""
        self.gathering = RehearsedGathering(self, call) if call else None

    def add(self, mentorship: Mentorship) -> Running:
        """A mentorship of the cohort, launched now."""
        cohort, zones = self.cohort, self.postboxes
        program = self.programs[mentorship.program or cohort.program]
        state = begin(
            program=program,
            cohort=cohort.cohort,
            key=mentorship.key,
            start=mentorship.start or cohort.start,
            zone=cohort.zone,
            launched_on=local_date(self.now, cohort.zone),
            members=[Member(person, role, zones[person].person.zone) for person, role in mentorship.members()],
            coordinators=sorted(person.id for person in cohort.coordinators),
            deputies=sorted(person.id for person in cohort.deputies),
            holidays=cohort.holidays,
        )
        running = self.running[mentorship.key] = Running(state, program, self.forms[program.program])
        return running

    # -- time ----------------------------------------------------------------------------------------------------

    @uncollected()
    def play(self, progress: Callable[[datetime], None] | None = None) -> RehearsedSeason:
        """Run to the end; `progress` is told the virtual time (UTC) whenever it has moved."""
        if self.gathering is not None:
            self.gathering.begin()
        for running in list(self.running.values()):
            self.turn(running, None)
        for change in self.behaviour.events:
            at = instant(change.on, NOON, self.cohort.zone)
            self.at(at, ACT, partial(self.script, self, change))
        while self.queue:
            moment, _, _, happen = heapq.heappop(self.queue)
            if moment > self.stops_at:
                self.stopped = True
                break
            if progress is not None and moment != self.now:
                progress(moment)
            self.now = max(moment, self.now)
            happen()
        return self

    def at(self, moment: datetime, rank: int, happen: Callable[[], None]) -> None:
        """Let something happen at a moment (UTC), or now where that is past."""
        self.ticket += 1
        heapq.heappush(self.queue, (max(moment, self.now), rank, self.ticket, happen))

    # -- mentorships ---------------------------------------------------------------------------------------------

    def turn(self, running: Running, event: Event | None) -> None:
        """One turn of a mentorship, with everything that follows from it."""
        turn: Batch | None = None
        commands = advance(running.state, event, self.now)
        while commands:
            turn = batch(running.state, commands, self.now)
            self.carry_out(running, turn)
            commands = []
            for ask in turn.assess:
                commands += advance(running.state, self.assess(running, ask), self.now)
        # The last batch has looked already, unless something has happened since.
        moment = turn.snapshot.next_at if turn and not turn.assess else next_moment(running.state)
        if moment is not None and moment != running.due_at:
            self.at(moment, DUE, partial(self.fall_due, running, moment))
        running.due_at = moment

    def fall_due(self, running: Running, moment: datetime) -> None:
        """The moment that the mentorship waited for has come, unless it waits for another by now."""
        if running.due_at == moment:
            running.due_at = None
            self.turn(running, None)

    def assess(self, running: Running, ask: Assess) -> Assessed:
        """What the answers of a settled ask mean."""
        given = running.answers_to(ask.requests)
        asked = [(person, role) for _, person, role in ask.requests]
        before = running.answers_to(ask.before) if ask.before else None
        findings = assessment.assess(ask.ask, given, running.program.rules, running.program.format, asked, before)
        return Assessed(f"assessed/{ask.step}", ask.ask, ask.number, findings)

    def carry_out(self, running: Running, turn: Batch) -> None:
        """What the engine writes down in SQL, in memory."""
        key = running.state.key
        if self.cancelled:
            turn = silenced(turn)
        for step in turn.steps:
            running.steps[(step.name, step.number)] = step
        for opened in turn.open_requests:
            asked = ReceivedRequest(
                opened.person, opened.ask, opened.number, opened.role, running.program.format,
                self.postboxes[opened.person].person.zone, turn.now, opened.early,
            )  # fmt: skip
            facts = RequestFacts(opened.key, "open", opened.closes_at)
            running.requests[opened.key] = Request(facts, asked, opened.step)
        for moved in turn.move_requests:
            request = running.requests.get(moved.key)
            if request is None:
                continue
            request.facts.closes_at = moved.closes_at
            if moved.reopen and request.facts.state != "answered":
                request.facts.state = "open"
        for ended in turn.end_requests:
            request = running.requests.get(ended.key)
            if request is None:
                continue
            if request.facts.state == "open" or (request.facts.state == "answered" and ended.state != "closed"):
                request.facts.state = ended.state
        running.notes += [(turn.now, note) for note in turn.notes]
        for task in turn.open_tasks:
            today = local_date(turn.now, self.cohort.zone)
            self.tasks[task.key] = TaskRecord(key, task.kind, task.number, today, task.due)
        for closed in turn.close_tasks:
            line = self.tasks[closed.key]
            line.closed, line.decision = local_date(turn.now, self.cohort.zone), closed.decision
        snapshot = turn.snapshot
        still = Standstill.of(snapshot)
        running.facts.held, running.facts.paused = still.held, still.paused
        running.facts.over = snapshot.over
        if turn.withhold:
            self.stand_still(running, Standstill.of(snapshot, withhold=True))
        if still != running.still:
            self.stand_still(running, still)
        for order in turn.redeliver:
            for request_key in sorted(order.requests):
                self.deliver_again(running, request_key, order.nth, order.date)
        for post in turn.posts:
            self.put(running, post)
        if turn.finish is not None:
            running.ending = (turn.finish.ending, turn.finish.reason, turn.finish.on)

    # -- postboxes -----------------------------------------------------------------------------------------------

    def put(self, running: Running | None, post: Post) -> None:
        """Put an item into a postbox; what is in already stays as it is."""
        postbox = self.postboxes[post.person]
        if post.key in postbox.letters:
            return
        fate = fate_of(post.kind, post.name, post.task, running.still if running else Standstill())
        if fate in ("paused", "over"):
            self.dropped.append((post.key, DropReason(fate), self.now, post.person))
            return
        postbox.letters[post.key] = QueuedItem(post, self.now, running, fate)
        if fate == "queued":
            self.look_later(postbox, self.moment(postbox, post))

    def moment(self, postbox: SimulatedPostbox, post: Post) -> datetime:
        """When the postmaster must look at an item."""
        person = postbox.person
        return look_at(self.rule, person.zone, person.last_mail_on, post.kind, post.date, self.now)

    def deliver_again(self, running: Running, key: str, nth: int, on: date) -> None:
        """A nudge: an open request that doesn't wait in the postbox anyway goes in again."""
        request = running.requests[key]
        postbox = self.postboxes[request.asked.person]
        waits = any(
            letter.post.request == key and letter.post.kind == "request" for letter in postbox.letters.values()
        )
        if request.facts.state == "open" and not waits:
            post = Post(
                f"{key}/request.nudge{nth}", request.asked.person, "request", request.asked.ask,
                request.asked.number, on, request=key,
            )  # fmt: skip
            self.put(running, post)

    def stand_still(self, running: Running, still: Standstill) -> None:
        """A standstill begins, changes or ends for everything of this mentorship that waits."""
        running.still = still
        for member in running.state.members:
            postbox = self.postboxes[member.person]
            for key, letter in list(postbox.letters.items()):
                if letter.message is not None:
                    message_items.stand_still(self, postbox, key, letter, running, still)
                    continue
                if letter.mentorship is not running:
                    continue
                fate = fate_of(letter.post.kind, letter.post.name, letter.post.task, still)
                if fate in ("paused", "over"):
                    del postbox.letters[key]
                    self.dropped.append((key, DropReason(fate), self.now, member.person))
                elif fate != letter.state:
                    letter.state = fate
                    if fate == "queued":
                        self.look_later(postbox, self.moment(postbox, letter.post))

    def look_later(self, postbox: SimulatedPostbox, moment: datetime) -> None:
        """The postmaster looks at this person at the moment, at the latest."""
        if postbox.look_at is None or moment < postbox.look_at:
            postbox.look_at = moment
            self.at(moment, DELIVER, partial(self.deliver, postbox, moment))

    def deliver(self, postbox: SimulatedPostbox, moment: datetime) -> None:
        """What of a person's postbox goes now."""
        if postbox.look_at != moment:
            return
        postbox.look_at = None
        person = postbox.person
        delivery = sort_out(person, (item_facts(self, letter) for letter in self.queued(postbox)), self.now)
        for item, reason in delivery.dropped:
            self.drop(postbox, item.key, reason)
        if postbox.refuses and (delivery.fast or delivery.ordinary):
            self.refused(postbox, [*delivery.fast, *delivery.ordinary])
        else:
            if delivery.fast:
                self.send(postbox, delivery.fast, self.now)
            if delivery.ordinary:
                self.send(postbox, delivery.ordinary, logical_moment(person.zone, delivery.ordinary, self.now))
            record(person, delivery, self.now)
        for item in delivery.held:
            postbox.letters[item.key].state = "held"
        if delivery.next_at is not None:
            self.look_later(postbox, delivery.next_at + LOOK_AFTER)

    def drop(self, postbox: SimulatedPostbox, key: str, reason: DropReason) -> None:
        """An item does not go out; what an address did not take is kept, in case it is corrected."""
        letter = postbox.letters.pop(key)
        self.dropped.append((key, reason, self.now, postbox.person.id))
        if reason is DropReason.BOUNCED:
            postbox.lost[key] = letter

    def refused(self, postbox: SimulatedPostbox, items: list[ItemFacts]) -> None:
        """An address refuses mail for good: it gets no more, and every mentorship of its owner hears of it."""
        for item in items:
            self.drop(postbox, item.key, DropReason.BOUNCED)
        person = postbox.person
        if person.standing == "bounced":
            return
        person.standing = "bounced"
        for running in seats_of(self.running, person.id):
            self.turn(running, Bounced(f"bounced/{person.id}/{self.ticket}", person.id))

    def queued(self, postbox: SimulatedPostbox) -> list[QueuedItem]:
        """What waits for its moment."""
        return [letter for letter in postbox.letters.values() if letter.state == "queued"]

    def send(self, postbox: SimulatedPostbox, items: list[ItemFacts], at: datetime) -> None:
        """A mail goes out that bears this moment, and its reader may act on it."""
        letters = [postbox.letters.pop(item.key) for item in items]
        mail = SentMail(postbox.person.id, at, tuple((one.post, one.where) for one in letters))
        self.mails.append(mail)
        for letter in letters:
            if letter.post.request:
                self.read_request(letter, at)
            if letter.post.task:
                self.read_task(letter, at)
            if letter.post.about and self.gathering is not None:
                self.gathering.read(letter.post, at)

    # -- people --------------------------------------------------------------------------------------------------

    def read_request(self, letter: QueuedItem, at: datetime) -> None:
        """Somebody has got a request for the first time; what they will do with it is known."""
        running = letter.mentorship
        assert running is not None, "every request is of a mentorship"
        request = running.requests[letter.post.request]
        if request.seen:
            return
        request.seen = True
        form = running.forms[running.program.form_for(request.asked.ask)]
        request.asked.mailed_at, request.asked.zone = at, self.postboxes[request.asked.person].person.zone
        reply = self.people.reply(request.asked, form)
        if reply is not None:
            self.at(reply.at, ACT, partial(self.answer, running, request, form, reply))

    def answer(self, running: Running, request: Request, form: Form, reply: Reply) -> None:
        """Somebody submits a form, if the page still takes it."""
        asked = request.asked
        access = self.access(running, request)
        if access not in ("open", "late"):
            return
        late = access == "late"
        signals = assessment.signals(asked.ask, reply.answers, running.program.rules)
        if asked.ask == "agreement" and not late:
            signals = running.sign(reply, signals)
        if asked.ask != "agreement" or signals.act in ("draft", "change"):
            self.away(running, asked, reply)
        request.answers = reply.answers
        if request.facts.state == "open" and not late:
            request.facts.state = "answered"
        self.answers.append(
            AnswerRecord(running.state.key, asked.person, asked.ask, form.form, asked.number, self.now, late)
        )
        event_id = f"answer/{request.facts.key}"
        self.turn(running, Answered(event_id, asked.person, asked.ask, asked.number, signals, self.now))

    def away(self, running: Running, asked: ReceivedRequest, reply: Reply) -> None:
        """Somebody says when they are away, in the place of what they said on that form before."""
        postbox = self.postboxes[asked.person]
        occasion = 0 if asked.ask == "agreement" else asked.number
        postbox.stated[running.state.key, asked.ask, occasion] = assessment.absences(reply.answers)
        postbox.person.absences = tuple(absence for stated in postbox.stated.values() for absence in stated)

    def access(self, running: Running, request: Request) -> Access:
        """What the link of a request lets its holder do now, by the rule of the pages."""
        member = running.state.member(request.asked.person)
        if member is None or member.standing == "out":
            return "withdrawn"
        facts = running.facts
        return access_of(
            request.asked.ask,
            request.facts.state,
            request.facts.closes_at,
            self.now,
            paused=facts.paused,
            over=facts.over,
        )

    def read_task(self, letter: QueuedItem, mailed_at: datetime) -> None:
        """A coordinator has got a task for the first time."""
        key = letter.post.task
        script = self.behaviour.coordinator
        if key in self.decided or script.never:
            return
        self.decided.add(key)
        zone = self.postboxes[letter.post.person].person.zone
        on = local_date(mailed_at, zone) + timedelta(days=script.decides_after)
        at = max(instant(on, script.at, zone), mailed_at + timedelta(minutes=1))
        self.at(at, ACT, partial(self.decide, letter.mentorship, key, letter.post.person))

    def decide(self, running: Running | None, key: str, by: str) -> None:
        """The coordinator decides a task, unless it is decided."""
        line = self.tasks[key]
        if line.closed is not None:
            return
        if running is None:
            assert self.gathering is not None, "the only task of no mentorship is that of an open call"
            self.gathering.publish()
            return
        script = self.behaviour.coordinator.decides(running.state.key, line.kind)
        pauses = script.decision == "pause"
        until = local_date(self.now, self.cohort.zone) + timedelta(days=script.until) if pauses else None
        event = Decided(f"decide/{key}", key, script.decision, by, until)
        self.turn(running, event)
