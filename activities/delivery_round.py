"""One round of a postmaster: pages are prepared while the ones before are on their way to the relay, and what came
of each mail is written down while the others are still being sent.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from uuid import uuid4

from sqlalchemy.ext.asyncio import AsyncSession

from activities.batches import is_away, write_batch
from activities.delivery_settings import Office
from activities.hand_over import Claimed, HandOvers, Permit, real_seconds
from activities.messages import DeliverResult
from activities.metrics import DELAY, MAILS
from activities.prepare import PAGE, PUT_BACK, decide, goes_elsewhere
from activities.smtp import Kind, NotSent, Trouble
from lifecycle.local_time import local_date
from store.delivery import due as waiting
from store.delivery import outbox, results
from store.delivery.due import Postbox
from store.delivery.outbox import Unsettled
from store.delivery.results import NOT_REPEATED, Outcome

WRITE_DOWN = 0.05
"""Real seconds after which results are written down: so much is in doubt when the process dies."""
FIRST_WAIT = timedelta(minutes=1)
LONGEST_WAIT = timedelta(hours=4)
"""Waits (program time) double from the first to the longest, whatever the relay asks for."""
POLICY_WAIT = timedelta(hours=1)
"""Refused for what we are or send: a person must mend it."""
LONGEST_POLICY_WAIT = timedelta(days=1)
"""The longest wait that a relay may ask for by a rule of its own, such as a limit per day."""
TRIES_TO_DELIVER = 12
"""A mail that is put off so often (about a day) opens a task: its reader would be blamed for silence."""
CONFIGURATION_WAIT = timedelta(minutes=15)
TRIES_ELSEWHERE = 10
"""An address that is not the person's yet, and takes no mail so often in a row (most of a day), is refused."""
SEND_AGAIN = timedelta(minutes=5)
"""After a moment in which nobody could know: the one second try (program time)."""
LONGEST_ROUND = timedelta(seconds=30)
"""Real time after which no further page is taken up, so that something urgent never waits behind a slow relay."""
QUIET = timedelta(minutes=10)
"""How long before a letterbox opens its mails are worded (program time), where they are many."""
LEFT_BEHIND = timedelta(minutes=1)
"""Real time after which a turn that is due was held up."""
CATCHING_UP = timedelta(minutes=10)
"""Real time in which mail waits for such turns."""
CROWD = 50
"""So many people are many."""
AHEAD_AT_MOST = 5000
"""People whose mails are kept in memory, at about 10 KB each."""
NOTHING_DONE_WAIT = timedelta(seconds=30)
TRIES_TO_WRITE = 5


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A claimed mail. `again`: it was sent before, perhaps, and goes once more as the same message."""

    id: str
    person: str
    recipient: str
    raw: str
    local_date: date
    fast: bool
    requests: tuple[str, ...]
    until: datetime
    """When its claim ends (program time, UTC)."""
    elsewhere: bool = False
    """Goes to an address that is not the person's yet."""
    attempts: int = 0
    again: bool = False
    noted: bool = True
    """Of one that goes again: the record says so already."""
    at: datetime | None = None
    """When the letterbox would have it delivered (program time, UTC), where that is known."""


class Round:
    """Delivers what is due in one shard at one moment (program time, UTC). `all_claims`: the round before has ended
    without a word, so what it had claimed is taken over. It may be alive: it can write nothing from then on."""

    def __init__(self, office: Office, shard: int, now: datetime, *, all_claims: bool = False) -> None:
        self.office = office
        self.shard = shard
        self.now = now
        self.all_claims = all_claims
        self.result = DeliverResult()
        self._claim = uuid4().hex
        self._hand_overs = HandOvers(office.database, self._claim, office.rules.speed)
        self._stopped_until: datetime | None = None
        self._cancelled = False
        self._superseded = False
        self._unwritten: list[tuple[Outcome, Exception]] = []
        self._written = 0
        self._began = real_seconds()

    def cancel(self) -> None:
        """Take up no further mail."""
        self._cancelled = True

    async def run(self) -> DeliverResult:
        """The whole round; what it did."""
        await self._write_what_is_left()
        async with self.office.database.begin() as session:
            # From here on whoever queues something wakes us, until we have put down when we wake by ourselves.
            await outbox.write_wake(session, self.shard, None)
        await self._deliver()
        if self._superseded:
            self.result.next_at = self.now
            return self.result
        if self._stopped_until is None:
            self.office.failures.pop(self.shard, None)
        self.result.next_at = await self._sleep_until()
        await self._word_ahead()
        return self.result

    @property
    def stopped(self) -> bool:
        """Whether no further mail is taken up."""
        return self._cancelled or self._superseded or self._stopped_until is not None

    @property
    def _elapsed(self) -> timedelta:
        """Real time since the round began, with the time in which the machine slept."""
        return timedelta(seconds=real_seconds() - self._began)

    @property
    def _moment(self) -> datetime:
        """Program time by now, UTC."""
        return self.now + self._elapsed * self.office.rules.speed

    async def _deliver(self) -> None:
        """One prepares, several carry, one writes down: all at the same time, with a short queue between."""
        queue: asyncio.Queue[Outgoing | None] = asyncio.Queue(PAGE)
        done: list[Outcome] = []
        unwritten = self.office.unwritten.setdefault(self.shard, [])
        finished = asyncio.Event()
        carriers = self.office.transport.connections

        async def take_up() -> None:
            async for mail in self._claimed(done):
                await queue.put(mail)
            for _ in range(carriers):
                await queue.put(None)

        async def carry() -> None:
            while (mail := await queue.get()) is not None:
                if not self.stopped:
                    await self.office.pace.wait()
                done.append(self._not_taken_up(mail) if self.stopped else await self._sent(mail))

        clerk = asyncio.create_task(self._write_all(done, finished))
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(take_up())
                for _ in range(carriers):
                    group.create_task(carry())
        finally:
            finished.set()
            try:
                await clerk
            finally:
                unwritten += [*done, *(one for one, _ in self._unwritten)]
        if self._unwritten and not self._written:
            raise self._unwritten[0][1]  # nothing at all could be written: that is the database, not a row

    # -- what is due -----------------------------------------------------------------------------------------------

    async def _claimed(self, done: list[Outcome]) -> AsyncIterator[Outgoing]:
        """Every mail of this round, claimed page by page; what needs no sending is put with what is done."""
        for mail in await self._doubtful():
            if isinstance(mail, Outcome):
                done.append(mail)
            else:
                yield mail
        async with self.office.database.session() as session:
            people = await waiting.people_due(session, self.shard, self.now, self.office.rules.people_per_round)
            behind = await self._behind(session, people)
        for start in range(0, len(people), PAGE):
            if self.stopped or self._elapsed > LONGEST_ROUND:
                return
            until = self._claim_until
            page = await self.office.preparer.prepare(
                people[start : start + PAGE], self.now, until, behind, self._claim
            )
            self.result.dropped += page.dropped
            self.result.held += page.held
            self._remember(page.trouble)
            for mail in page.mails:
                yield Outgoing(
                    id=mail.id,
                    person=mail.person,
                    recipient=mail.recipient,
                    raw=mail.raw,
                    local_date=mail.local_date,
                    fast=mail.fast,
                    requests=mail.requests,
                    until=until,
                    elsewhere=mail.elsewhere,
                    attempts=mail.attempts,
                    at=mail.at,
                )

    async def _behind(self, session: AsyncSession, people: Sequence[str]) -> set[str]:
        """Those whose mentorships have yet to do what fell due in an outage: all of it comes in one mail (lifecycle
        2.9). Nobody waits long for it, for a mentorship may be stuck."""
        speed, since = self.office.rules.speed, self.office.catching_up
        behind = await waiting.behind(session, people, self.now - LEFT_BEHIND * speed) if people else set[str]()
        if not behind:
            since.pop(self.shard, None)
            return behind
        waited = self.now - since.setdefault(self.shard, self.now)
        return behind if waited < CATCHING_UP * speed else set()

    @property
    def _claim_until(self) -> datetime:
        return self._moment + self.office.rules.claim * self.office.rules.speed

    async def _word_ahead(self) -> None:
        """In the quiet before a letterbox opens, word what will be due then."""
        due = self.result.next_at
        if due is not None and not self.stopped and self.now < due <= self.now + QUIET:
            try:
                await self.office.preparer.word_ahead(self.shard, due, AHEAD_AT_MOST)
            except Exception as error:  # the round is done; at its moment each mail is worded anyway
                self._remember(f"not worded ahead: {type(error).__name__}")

    # -- what nobody knows the end of ------------------------------------------------------------------------------

    async def _doubtful(self) -> list[Outgoing | Outcome]:
        """Mails whose holder was lost: what certainly was not accepted waits again; what may have been goes once
        more, if what it says is still true."""
        database, until = self.office.database, self._claim_until
        known = {one.id for one in self.office.unwritten.get(self.shard, ())}
        async with database.session() as session:
            found = await outbox.unsettled(session, self.shard, self.now, all_claims=self.all_claims)
        found = [message for message in found if message not in known]

        async def release(session: AsyncSession, messages: Sequence[str]) -> int:
            return await outbox.release_unsent(session, messages, self.now, all_claims=self.all_claims)

        async def claim(session: AsyncSession, messages: Sequence[str]) -> list[Unsettled]:
            return await outbox.claim_again(
                session, messages, self.now, until, self._claim, all_claims=self.all_claims
            )

        released = await write_batch(database, found, release)
        claimed = await write_batch(database, found, claim)
        for _, error in (*released.failed, *claimed.failed):
            self._remember(f"not taken over: {type(error).__name__}")
        doubtful = [mail for part in claimed.results for mail in part]
        boxes = await self._boxes([mail.id for mail in doubtful])
        return [self._of_doubtful(mail, boxes.get(mail.id), until) for mail in doubtful]

    async def _boxes(self, messages: Sequence[str]) -> dict[str, Postbox | None]:
        """Message to its person and what it carries; None where a row can't be read."""
        try:
            async with self.office.database.session() as session:
                return dict(await waiting.of_messages(session, messages))
        except Exception as error:
            if is_away(error):
                raise
            if len(messages) == 1:
                self._remember(f"not decided: {type(error).__name__}")
                return {messages[0]: None}
        found: dict[str, Postbox | None] = {}
        for message in messages:
            found |= await self._boxes([message])
        return found

    def _of_doubtful(self, mail: Unsettled, box: Postbox | None, until: datetime) -> Outgoing | Outcome:
        requests = tuple({item.request: None for item in box.items.values() if item.request}) if box else ()
        counted = Outcome(
            mail.id, mail.person, "ambiguous", mail.local_date, mail.fast, requests, "ambiguous",
            burnt=False, claim=self._claim,
        )  # fmt: skip
        not_repeated = replace(counted, error=NOT_REPEATED)
        if box is None or not mail.raw or box.person.standing != "active" or mail.twice:
            return not_repeated
        try:
            delivery = decide(box, self.now)
        except Exception as error:  # whatever a row holds, the others get their mail
            self._remember(f"not decided: {type(error).__name__}")
            return replace(counted, until=self.now + PUT_BACK)
        if delivery.later and not (delivery.ordinary or delivery.fast):
            return replace(counted, until=delivery.next_at)
        if not (delivery.ordinary or delivery.fast):
            return not_repeated
        today = local_date(self.now, box.person.zone)
        return Outgoing(
            mail.id, mail.person, mail.recipient, mail.raw, today, mail.fast, requests, until,
            goes_elsewhere(box.items.values()), again=True, noted=mail.noted,
        )  # fmt: skip

    # -- sending ---------------------------------------------------------------------------------------------------

    async def _sent(self, mail: Outgoing) -> Outcome:
        """Send a mail; what came of it. No fault of one mail stops the others."""
        permits: list[Permit] = []

        async def before_body() -> bool:
            claimed = Claimed(mail.id, mail.until, doubled=mail.again and not mail.noted)
            permits.append(await self._hand_overs.confirm(claimed, self._moment))
            return permits[-1] is Permit.GIVEN

        office = self.office
        try:
            envelope = office.rules.envelope(mail.id)
            await office.transport.send(envelope, mail.recipient, mail.raw.encode(), before_body)
        except NotSent as refusal:
            if refusal.trouble.kind is Kind.STOPPED:
                return self._not_permitted(mail, permits[-1])
            return self._of_trouble(mail, refusal.trouble)
        except Exception as error:
            self._remember(f"not sent: {type(error).__name__}")
            kind = Kind.AMBIGUOUS if Permit.GIVEN in permits else Kind.POLICY
            return self._of_trouble(mail, Trouble(kind, type(error).__name__))
        self.result.sent += 1
        if mail.at is not None:
            DELAY.observe(max(self._moment - mail.at, timedelta(0)).total_seconds())
        return self._outcome(mail, "sent")

    def _not_permitted(self, mail: Outgoing, permit: Permit) -> Outcome:
        """The body was kept back; the mail waits again, if it is still ours."""
        if permit is Permit.LOST:
            self._superseded = True
        elif permit is Permit.UNKNOWN:
            self._remember("not sent: its hand-over could not be written down")
        return self._not_taken_up(mail)

    def _of_trouble(self, mail: Outgoing, trouble: Trouble) -> Outcome:
        rules, failures = self.office.rules, self.office.failures
        match trouble.kind:
            case Kind.QUEUE:
                if self._stopped_until is None:
                    failures[self.shard] = failures.get(self.shard, 0) + 1
                asked = min(trouble.wait or timedelta(0), LONGEST_WAIT)
                self._stop(max(asked, doubling(failures[self.shard])), trouble)
                return self._not_taken_up(mail)
            case Kind.CONFIGURATION:
                self._stop(CONFIGURATION_WAIT, trouble)
                return self._not_taken_up(mail)
            case Kind.AMBIGUOUS:
                self.result.ambiguous += 1
                until = None if mail.again else self.now + SEND_AGAIN
                return self._outcome(mail, "ambiguous", f"{trouble}", until)
            case Kind.PERMANENT if not rules.redirected:
                self.result.refused += 1
                return self._outcome(mail, "refused", f"{trouble}")
            case Kind.TRANSIENT | Kind.STOPPED:
                wait = doubling(mail.attempts + 1)
            case Kind.PERMANENT | Kind.POLICY:
                wait = max(POLICY_WAIT, doubling(mail.attempts + 1))
        asked = min(trouble.wait or timedelta(0), LONGEST_POLICY_WAIT if trouble.of_policy else LONGEST_WAIT)
        wait = max(asked, wait)
        tries = mail.attempts + 1
        if mail.elsewhere and tries >= TRIES_ELSEWHERE:
            self.result.refused += 1
            return self._outcome(mail, "refused", f"{trouble}")
        self._remember(f"{trouble}")
        self.result.deferred += 1
        hopeless = tries == TRIES_TO_DELIVER and not (rules.redirected or mail.elsewhere or mail.again)
        state = "ambiguous" if mail.again else "deferred"
        return self._outcome(mail, state, f"{trouble}", self.now + wait, hopeless=hopeless)

    def _outcome(
        self,
        mail: Outgoing,
        state: str,
        error: str = "",
        until: datetime | None = None,
        *,
        burnt: bool = True,
        hopeless: bool = False,
    ) -> Outcome:
        MAILS.labels(state).inc()
        return Outcome(
            mail.id, mail.person, state, mail.local_date, mail.fast, mail.requests, error, until,
            burnt=burnt, elsewhere=mail.elsewhere, claim=self._claim, hopeless=hopeless,
        )  # fmt: skip

    def _not_taken_up(self, mail: Outgoing) -> Outcome:
        """Certainly not sent now, and through no fault of its own."""
        self.result.deferred += 1
        until = self._stopped_until or self.now
        return self._outcome(mail, "ambiguous" if mail.again else "deferred", self.result.trouble, until, burnt=False)

    def _stop(self, wait: timedelta, trouble: Trouble) -> None:
        if self._stopped_until is None:
            self._stopped_until = self.now + wait
            self.result.trouble = f"{trouble}"

    def _remember(self, trouble: str) -> None:
        self.result.trouble = self.result.trouble or trouble

    # -- writing down ----------------------------------------------------------------------------------------------

    async def _write_all(self, done: list[Outcome], finished: asyncio.Event) -> None:
        clock = asyncio.get_running_loop().time
        pause = WRITE_DOWN
        while not finished.is_set() or done:
            with suppress(TimeoutError):
                await asyncio.wait_for(finished.wait(), pause)
            some, done[:] = done[:], []
            began = clock()
            try:
                await self._write_down(some)
            except BaseException:
                self.cancel()  # what is sent now could not be written down either
                done[:0] = some
                raise
            pause = max(WRITE_DOWN, 2 * (clock() - began))  # a slow database is not asked more often for it

    async def _write_what_is_left(self) -> None:
        """What the rounds before could not write down. Without it, mails that the relay has would go once more."""
        left = self.office.unwritten.get(self.shard, [])
        self.office.unwritten[self.shard] = [one for one, _ in await self._settled(left)]

    async def _write_down(self, outcomes: Sequence[Outcome]) -> None:
        """What came of these mails must not be lost to a deadlock or a busy database: try until it is written."""
        failed = await self._settled(outcomes)
        self._unwritten += failed
        self._written += len(outcomes) - len(failed)

    async def _settled(self, outcomes: Sequence[Outcome]) -> list[tuple[Outcome, Exception]]:
        """Write down what came of these mails; those of which it can't be written, and why. Raises the error of a
        database that is away."""

        async def settle(session: AsyncSession, some: Sequence[Outcome]) -> list[str]:
            return await results.settle(session, some, self.now)

        for attempt in range(1, TRIES_TO_WRITE + 1):
            try:
                written = await write_batch(self.office.database, outcomes, settle)
            except Exception as error:
                if attempt == TRIES_TO_WRITE or not is_away(error):
                    raise
                await asyncio.sleep(0.1 * 2**attempt)
                continue
            self.result.bounced += [person for part in written.results for person in part]
            for _, error in written.failed:
                self._remember(f"not written: {type(error).__name__}")
            return written.failed
        raise AssertionError("the last attempt returns or raises")

    async def _sleep_until(self) -> datetime | None:
        """Put down when we wake by ourselves; asked again after that, so that nothing is queued unseen between."""
        database = self.office.database
        while True:
            async with database.begin() as session:
                wakes_at = await self._next_look(session)
                await outbox.write_wake(session, self.shard, wakes_at)
            async with database.session() as session:
                again = await self._next_look(session)
            if again is None or (wakes_at is not None and wakes_at <= again):
                return wakes_at

    async def _next_look(self, session: AsyncSession) -> datetime | None:
        if self._stopped_until is not None:
            return self._stopped_until
        due = await outbox.next_wake(session, self.shard, self.now)
        if due is None:
            return None
        did = self.result
        if due <= self.now and not (did.sent or did.dropped or did.held or did.deferred):
            return self.now + NOTHING_DONE_WAIT  # somebody else holds them, or they are broken
        if due > self.now + QUIET and self.office.rules.speed == 1:
            crowd = await waiting.people_due(session, self.shard, due, CROWD)
            return due - QUIET if len(crowd) == CROWD else due
        return due


def doubling(times: int) -> timedelta:
    """How long to wait after so many failures in a row (program time)."""
    return min(FIRST_WAIT * 2 ** min(times - 1, 16), LONGEST_WAIT)
