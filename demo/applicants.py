"""The applicants of an open call, acted out at the real pages: they apply, confirm by the link in their mail, wish
and withdraw, each in their time.

The caller's clock says when that is, as in `demo.crowd`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from email import message_from_bytes, policy
from functools import partial

from sqlalchemy import select

from demo.crowd import At
from demo.visitor import Visitor
from lifecycle.local_time import begins
from operations.forms.parse import Typed, typed_of
from program.faults import counted
from rehearsal.applicants import ApplicantActs, SimulatedApplicant
from store.cohorts.calls import Call
from store.database import Database
from store.people import applications
from store.people.applications import CONFIRM, WISHES
from store.tables import ItemRow, MessageRow

LINK = re.compile(r"https?://[^\s<>\")]+(/application/[A-Za-z0-9_.\-]+)(/wishes)?")
Told = Callable[[str, SimulatedApplicant, str], None]
"""Told of each act: what it is (applied, wish, refused), who, and in words."""


@dataclass
class ApplicantCrowd:
    """Everybody who applies to one call. `now` gives program time (UTC), `at` lets somebody act later."""

    call: Call
    applicants: Sequence[SimulatedApplicant]
    acts: ApplicantActs
    database: Database
    visitor: Visitor
    now: Callable[[], datetime]
    at: At
    told: Told = lambda _what, _who, _text: None
    known_as: dict[str, str] = field(default_factory=dict[str, str])
    """Person, as the database knows them, to their id among the simulated people."""
    application_of: dict[str, str] = field(default_factory=dict[str, str])
    """Id among the simulated people to the id of the application."""
    sent: list[str] = field(default_factory=list[str])
    """Who sent an application that the page took; twice who sent two."""
    confirmed: list[str] = field(default_factory=list[str])
    wished: list[str] = field(default_factory=list[str])
    withdrawn: list[str] = field(default_factory=list[str])
    late: list[str] = field(default_factory=list[str])
    """Who meant to be in time and confirmed after the close: the clock was faster than this machine."""
    _links: dict[str, str] = field(default_factory=dict[str, str])

    def __post_init__(self) -> None:
        self._by_email = {each.email.casefold(): each for each in self.applicants}

    def begin(self) -> None:
        """From now on people apply, each in their time after the opening."""
        opens, closes = self.call.gathering.opens, self.call.gathering.closes
        at = begins(opens, self.call.zone)
        for one in self.applicants:
            for moment in self.acts.applies(one.id, one.zone, at, (closes - opens).days + 1):
                self.at(moment, partial(self.apply, one))

    async def apply(self, one: SimulatedApplicant) -> None:
        """Somebody fills in the form of the public page and sends it."""
        typed = self.typed(one)
        if not await self.visitor.apply(self.call.cohort, one.role, typed):
            return
        again = one.id in self.sent
        self.sent.append(one.id)
        async with self.database.session() as session:
            found = await applications.of_address(session, self.call.cohort, one.email)
        if found is not None:
            self.known_as[found.person] = one.id
            self.application_of[one.id] = found.id
        self.told("applied", one, "applies once more: nothing changes" if again else f"applies as {one.role}")

    def typed(self, one: SimulatedApplicant) -> Typed:
        """What somebody types into the form."""
        return typed_of(self.call.questions(one.role), one.answers) | {"name": [one.name], "email": [one.email]}

    def link_of(self, id_: str) -> str:
        """The path of somebody's own page, as their last mail brought it."""
        return self._links[id_]

    async def read(self, recipient: str, raw: bytes) -> None:
        """Somebody reads a mail; a reader who did not apply does nothing."""
        one = self._by_email.get(recipient.casefold())
        message = message_from_bytes(raw, policy=policy.default)
        part = message.get_body(("plain",))
        link = LINK.search(part.get_content()) if part is not None else None
        if one is None or link is None:
            return
        if link[2]:
            moment = self.acts.wishes(one.id, one.zone, await self._mailed_at(one, WISHES))
            if moment is not None:
                self.at(moment, partial(self.wish, one, link[1]))
            return
        self._links[one.id] = link[1]
        if one.id in self.sent and one.id not in self.confirmed:
            moment = self.acts.confirms(one.id, await self._mailed_at(one, CONFIRM))
            if moment is not None:
                self.at(moment, partial(self.confirm, one))

    async def confirm(self, one: SimulatedApplicant) -> None:
        """Somebody presses the button that says that the address is theirs."""
        if one.id in self.confirmed or not await self.visitor.act_on_application(self._links[one.id], "confirm"):
            return
        self.confirmed.append(one.id)
        if self.call.stage(self.now()) != "applying":
            self.late.append(one.id)
        self.told("applied", one, "confirms the address")
        leaves = self.acts.withdraws(one.id, one.zone, self.now())
        if leaves is not None:
            self.at(leaves, partial(self.withdraw, one))

    async def withdraw(self, one: SimulatedApplicant) -> None:
        """Somebody takes the application back, by the own link."""
        if await self.visitor.act_on_application(self._links[one.id], "withdraw"):
            self.withdrawn.append(one.id)
            self.told("applied", one, "withdraws: the application is deleted")

    async def wish(self, one: SimulatedApplicant, path: str) -> None:
        """Somebody says whom they would like to meet, of those whom the page shows."""
        wanted = {
            side: [self.application_of[id_] for id_ in ids if id_ in self.application_of]
            for side, ids in (("wish", one.wishes), ("take", one.would_take))
        }
        made = await self.visitor.wish(path, wanted, one.picks, self.call.terms.wishes_at_most)
        if made is not None:
            self.wished.append(one.id)
            self.told("wish", one, f"makes {counted(made, 'wish', 'wishes')}")

    async def _mailed_at(self, one: SimulatedApplicant, name: str) -> datetime:
        """When the last mail of this name reached somebody (program time, UTC)."""
        async with self.database.session() as session:
            at = await session.scalar(
                select(MessageRow.at)
                .join(ItemRow, ItemRow.message == MessageRow.id)
                .where(ItemRow.about == self.application_of[one.id], ItemRow.name == name)
                .order_by(MessageRow.at.desc())
                .limit(1)
            )
        assert at is not None, "the mail that was read was sent"
        return at
