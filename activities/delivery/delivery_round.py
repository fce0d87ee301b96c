"""One round of a postmaster. Three things happen at the same time: a page of mails is prepared, the mails of earlier
pages are sent, and the results of sent mails are written.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from uuid import uuid4

from sqlalchemy.ext.asyncio import AsyncSession

from activities.delivery.delivery_settings import Office
from activities.delivery.hand_over import HandOvers, Permit, real_seconds
from activities.delivery.metrics import DELAY, MAILS
from activities.delivery.smtp import Kind, NotSent, Trouble
from activities.delivery.take_over import Successor
from activities.delivery.write_results import ResultWriter
from activities.letters.prepare import PAGE
from activities.messages import DeliverResult
from store.delivery import due, outbox
from store.delivery.outbox import Mail
from store.delivery.results import Result

FIRST_WAIT = timedelta(minutes=1)
LONGEST_WAIT = timedelta(hours=4)
"""Waits (program time) double from the first to the longest, whatever the relay asks for."""
POLICY_WAIT = timedelta(hours=1)
"""The first wait after a refusal for what we are or send (program time). A person must fix the cause."""
LONGEST_POLICY_WAIT = timedelta(days=1)
"""The longest wait that a relay may ask for by a rule of its own, such as a limit per day."""
TRIES_TO_DELIVER = 12
"""A mail that is deferred so often (about a day) opens a task: otherwise its reader is blamed for silence."""
CONFIGURATION_WAIT = timedelta(minutes=15)
"""How long the queue waits when the relay does not let us in (program time)."""
TRIES_ELSEWHERE = 10
"""A new, unconfirmed address that takes no mail so often in a row (most of a day) is refused."""
SEND_AGAIN = timedelta(minutes=5)
"""When a mail in doubt is sent for the second and last time (program time)."""
LONGEST_ROUND = timedelta(seconds=30)
"""Real time after which a round prepares no further page, so that urgent mail never waits behind a slow relay."""
QUIET = timedelta(minutes=10)
"""How long before a letterbox opens its mails are worded, if there are many (program time)."""
LEFT_BEHIND = timedelta(minutes=1)
"""Real time after which a turn that is due counts as overdue."""
CATCHING_UP = timedelta(minutes=10)
"""Real time for which mail waits for overdue turns."""
CROWD = 50
"""So many people due at one moment are worded ahead."""
AHEAD_AT_MOST = 5000
"""People whose mails are kept in memory, at about 10 KB each."""
NOTHING_DONE_WAIT = timedelta(seconds=30)
"""When to look again after a round that could do nothing although something was due (program time)."""


class Round:
    """Delivers what is due in one shard at one moment (program time, UTC).

    `all_claims`: Temporal has given up the round before, so its claims are taken over. It may still run, but it can
    neither send nor write anything of these mails from then on.
    """

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
        self._writer = ResultWriter(office.database, now, self._remember)
        self._began = real_seconds()

    def cancel(self) -> None:
        """Send no further mail."""
        self._cancelled = True

    async def run(self) -> DeliverResult:
        """Run the whole round and return what it did."""
        left = self.office.unwritten.get(self.shard, [])
        self.office.unwritten[self.shard] = await self._writer.write_left(left)
        async with self.office.database.begin() as session:
            await outbox.begin_round(session, self.shard)
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
        """Whether no further mail is sent."""
        return self._cancelled or self._superseded or self._stopped_until is not None

    @property
    def _elapsed(self) -> timedelta:
        """Real time since the round began, including time in which the machine slept."""
        return timedelta(seconds=real_seconds() - self._began)

    @property
    def _moment(self) -> datetime:
        """Program time now, UTC."""
        return self.now + self._elapsed * self.office.rules.speed

    async def _deliver(self) -> None:
        """Prepare, send and write results at the same time, with a short queue between."""
        queue: asyncio.Queue[Mail | None] = asyncio.Queue(PAGE)
        finished = asyncio.Event()
        senders = self.office.transport.connections

        async def prepare() -> None:
            async for mail in self._claimed():
                await queue.put(mail)
            for _ in range(senders):
                await queue.put(None)

        async def send() -> None:
            while (mail := await queue.get()) is not None:
                if not self.stopped:
                    await self.office.pace.wait()
                self._writer.done.append(self._not_sent(mail) if self.stopped else await self._sent(mail))

        writing = asyncio.create_task(self._writer.run(finished, self.cancel))
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(prepare())
                for _ in range(senders):
                    group.create_task(send())
        finally:
            finished.set()
            try:
                await writing
            finally:
                self.result.bounced += self._writer.bounced
                self.office.unwritten[self.shard] = self.office.unwritten.get(self.shard, []) + self._writer.left
        if self._writer.failure is not None:
            raise self._writer.failure

    # -- what is due -----------------------------------------------------------------------------------------------

    async def _claimed(self) -> AsyncIterator[Mail]:
        """Yield every mail of this round, claimed page by page. Mails that are not sent go to the results at once."""
        successor = Successor(
            self.office.database, self.shard, self._claim, self.now, self._claim_until, self.all_claims
        )
        taken = await successor.take_over({result.id for result in self.office.unwritten.get(self.shard, ())})
        self._writer.done += taken.results
        for trouble in taken.troubles:
            self._remember(trouble)
        for mail in taken.mails:
            yield mail
        async with self.office.database.session() as session:
            people = await due.people_due(session, self.shard, self.now, self.office.rules.people_per_round)
            behind = await self._behind(session, people)
        for start in range(0, len(people), PAGE):
            if self.stopped or self._elapsed > LONGEST_ROUND:
                return
            page = await self.office.preparer.prepare(
                people[start : start + PAGE], self.now, self._claim_until, behind, self._claim
            )
            self.result.dropped += page.dropped
            self.result.held += page.held
            self._remember(page.trouble)
            for mail in page.mails:
                yield mail

    async def _behind(self, session: AsyncSession, people: Sequence[str]) -> set[str]:
        """People with a mentorship that has yet to do what fell due in an outage: all of it must come in one mail
        (lifecycle 2.9). Their mail waits for `CATCHING_UP` at most, because a mentorship can be stuck."""
        speed, since = self.office.rules.speed, self.office.catching_up
        behind = await due.behind(session, people, self.now - LEFT_BEHIND * speed) if people else set[str]()
        if not behind:
            since.pop(self.shard, None)
            return behind
        waited = self.now - since.setdefault(self.shard, self.now)
        return behind if waited < CATCHING_UP * speed else set()

    @property
    def _claim_until(self) -> datetime:
        return self._moment + self.office.rules.claim * self.office.rules.speed

    async def _word_ahead(self) -> None:
        """Shortly before a letterbox opens, word what will be due then."""
        moment = self.result.next_at
        if moment is not None and not self.stopped and self.now < moment <= self.now + QUIET:
            try:
                await self.office.preparer.word_ahead(self.shard, moment, AHEAD_AT_MOST)
            except Exception as error:  # the round is done, and each mail is worded when it is due
                self._remember(f"not worded ahead: {type(error).__name__}")

    # -- sending ---------------------------------------------------------------------------------------------------

    async def _sent(self, mail: Mail) -> Result:
        """Send a mail and return its result. An error of one mail does not stop the others."""
        permits: list[Permit] = []

        async def before_body() -> bool:
            permits.append(await self._hand_overs.confirm(mail, self._moment))
            return permits[-1] is Permit.GIVEN

        office = self.office
        try:
            envelope = office.rules.envelope(mail.id)
            with self._hand_overs.under_way(mail):
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
        if not mail.again:
            DELAY.observe(max(self._moment - mail.at, timedelta(0)).total_seconds())
        return self._result_of(mail, "sent")

    def _not_permitted(self, mail: Mail, permit: Permit) -> Result:
        """The result of a mail whose body was not sent: it waits again, if the round still has its claim."""
        if permit is Permit.LOST:
            self._superseded = True
        elif permit is Permit.UNKNOWN:
            self._remember("not sent: its hand-over could not be written down")
        return self._not_sent(mail)

    def _of_trouble(self, mail: Mail, trouble: Trouble) -> Result:
        rules, failures = self.office.rules, self.office.failures
        match trouble.kind:
            case Kind.QUEUE:
                if self._stopped_until is None:
                    failures[self.shard] = failures.get(self.shard, 0) + 1
                asked = min(trouble.wait or timedelta(0), LONGEST_WAIT)
                self._stop(max(asked, doubling(failures[self.shard])), trouble)
                return self._not_sent(mail)
            case Kind.CONFIGURATION:
                self._stop(CONFIGURATION_WAIT, trouble)
                return self._not_sent(mail)
            case Kind.AMBIGUOUS:
                self.result.ambiguous += 1
                until = None if mail.again else self.now + SEND_AGAIN
                return self._result_of(mail, "ambiguous", f"{trouble}", until)
            case Kind.PERMANENT if not rules.redirected:
                self.result.refused += 1
                return self._result_of(mail, "refused", f"{trouble}")
            case Kind.TRANSIENT | Kind.STOPPED:
                wait = doubling(mail.attempts + 1)
            case Kind.PERMANENT | Kind.POLICY:
                wait = max(POLICY_WAIT, doubling(mail.attempts + 1))
        asked = min(trouble.wait or timedelta(0), LONGEST_POLICY_WAIT if trouble.of_policy else LONGEST_WAIT)
        wait = max(asked, wait)
        tries = mail.attempts + 1
        if mail.elsewhere and tries >= TRIES_ELSEWHERE:
            self.result.refused += 1
            return self._result_of(mail, "refused", f"{trouble}")
        self._remember(f"{trouble}")
        self.result.deferred += 1
        hopeless = tries == TRIES_TO_DELIVER and not (rules.redirected or mail.elsewhere or mail.again)
        state = "ambiguous" if mail.again else "deferred"
        return self._result_of(mail, state, f"{trouble}", self.now + wait, hopeless=hopeless)

    def _result_of(
        self,
        mail: Mail,
        state: str,
        error: str = "",
        until: datetime | None = None,
        *,
        burnt: bool = True,
        hopeless: bool = False,
    ) -> Result:
        MAILS.labels(state).inc()
        return Result(
            mail.id, mail.person, state, mail.local_date, mail.fast, mail.requests, error, until,
            burnt=burnt, elsewhere=mail.elsewhere, claim=self._claim, hopeless=hopeless,
        )  # fmt: skip

    def _not_sent(self, mail: Mail) -> Result:
        """The result of a mail that was certainly not sent, for a reason that is not its own."""
        self.result.deferred += 1
        until = self._stopped_until or self.now
        return self._result_of(
            mail, "ambiguous" if mail.again else "deferred", self.result.trouble, until, burnt=False
        )

    def _stop(self, wait: timedelta, trouble: Trouble) -> None:
        if self._stopped_until is None:
            self._stopped_until = self.now + wait
            self.result.trouble = f"{trouble}"

    def _remember(self, trouble: str) -> None:
        self.result.trouble = self.result.trouble or trouble

    # -- when to look again -----------------------------------------------------------------------------------------

    async def _sleep_until(self) -> datetime | None:
        """Write when this postmaster wakes by itself, and check again afterwards: an item that was queued in between
        must not be missed."""
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
        moment = await outbox.next_wake(session, self.shard, self.now)
        if moment is None:
            return None
        did = self.result
        if moment <= self.now and not (did.sent or did.dropped or did.held or did.deferred):
            return self.now + NOTHING_DONE_WAIT  # another worker holds them, or their rows are broken
        if moment > self.now + QUIET and self.office.rules.speed == 1:
            crowd = await due.people_due(session, self.shard, moment, CROWD)
            return moment - QUIET if len(crowd) == CROWD else moment
        return moment


def doubling(times: int) -> timedelta:
    """How long to wait after so many failures in a row (program time)."""
    return min(FIRST_WAIT * 2 ** min(times - 1, 16), LONGEST_WAIT)
