"""The open call of a season that is played: shows where it stands, lets the coordinator match and publish, and notes
what the verdict compares.

What is noted is read from the database while it is there: applications that became no pair are deleted 90 days after
the pairs are published.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import select

from demo.applicants import ApplicantCrowd
from embedded.stack import Stack
from lifecycle.local_time import begins
from operations.audit import COMMAND_LINE
from operations.errors import Refused
from operations.forms.parse import Typed
from operations.matching.publish import Draft, draft, publish
from rehearsal.applicants import SimulatedApplicant
from store.cohorts import calls
from store.people import applications
from store.tables import ItemRow, MembershipRow

TOLD_AFTER = timedelta(days=10)
"""So long after the pairs are published everybody has heard: over a weekend, and with one mail a day."""
ROBOT = "robot@example.org"
STAGES = {
    "applying": "the call opens: people apply on {url}",
    "closed": "the call has closed",
    "wishing": "the call has closed; applicants say whom they would like to meet",
    "matching": "the wishes are in: the coordinator matches",
    "published": "the pairs are published",
}
"""Stage of the gathering to what is shown of it."""


@dataclass
class DemoCall:
    """The call of a season."""

    crowd: ApplicantCrowd
    stack: Stack
    show: Callable[..., None]
    """Told what it is, in words, and when (program time, UTC) where that is not now."""
    published: datetime | None = None
    """When the pairs were published (program time, UTC)."""
    counted: frozenset[str] = frozenset()
    """Ids, among the simulated people, of those whose application counted when the pairs were made."""
    rows: Counter[str] = field(default_factory=Counter[str])
    """Address to its applications, at the same moment."""
    paired: frozenset[str] = frozenset()
    """Ids of those who have a partner."""
    told: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])
    """(id, name of the item) to how often it went out to them, after everybody has heard of the pairs."""
    refused: str = ""
    """Why no pairs could be published."""
    robots_refused: int = 0
    stage: str = "planned"
    """Of the gathering, as last looked at."""
    _noted: bool = False

    @property
    def cohort(self) -> str:
        """The id of the cohort."""
        return self.crowd.call.cohort

    @property
    def url(self) -> str:
        """The public page."""
        return f"{self.stack.settings.public_url}/apply/{self.cohort}"

    def begin(self) -> None:
        """From now on people apply, and a program that fills in every field."""
        self.crowd.told = self._acted
        self.crowd.begin()
        self.crowd.at(begins(self.crowd.call.gathering.opens, self.crowd.call.zone) + timedelta(hours=1), self._robot)

    async def look(self) -> None:
        """See where the call stands, and show what is new."""
        async with self.stack.database.session() as session:
            call = await calls.find(session, self.cohort)
            published = await calls.published_at(session, self.cohort)
        assert call is not None, "the call was launched"
        now = self.stack.now()
        stage = call.stage(now)
        self._show_stage(stage)
        if stage in ("matching", "published") and not self.counted:
            await self.note_applications()
        if published is not None:
            self.published = published
            if now > published + TOLD_AFTER and not self._noted:
                await self.note_told()

    def _show_stage(self, stage: str) -> None:
        if stage != self.stage:
            self.stage = stage
            self.show("call", STAGES[stage].format(url=self.url))

    def _show_act(self, what: str, text: str) -> None:
        """What somebody did on the page. That they could says first that it is open, if nobody has looked since."""
        if self.stage == "planned":
            self._show_stage("applying")
        self.show(what, text)

    async def publish(self, by: str) -> None:
        """The coordinator matches those who applied, looks at the pairs, and publishes them."""
        try:
            made = await draft(self.stack.database, self.cohort)
        except Refused as refused:
            self.refused = str(refused)
            self.show("refused", f"no pairs are published: {refused}")
            return
        await publish(
            self.stack.database, self.stack.client, self.stack.settings, made, self.stack.now(), by=by,
            proof=COMMAND_LINE,
        )  # fmt: skip
        self._show_pairs(made)

    def _show_pairs(self, made: Draft) -> None:
        for mentor, mentee in made.pairs:
            why = "; ".join(part.words for part in made.because[mentor, mentee][:3])
            self.show("pairs", f"{made.names[mentor]} with {made.names[mentee]}: {why}")
        for person in made.nobody:
            self.show("pairs", f"nobody for {made.names[person]}, who is told so")

    async def note_applications(self) -> None:
        """What is stored of the applications, before any is deleted."""
        async with self.stack.database.session() as session:
            stored = await applications.of_cohort(session, self.cohort)
        self.rows = Counter(each.email.casefold() for each in stored)
        known = self.crowd.known_as
        counted = (each.person for each in stored if each.state in applications.COUNTS)
        self.counted = frozenset(known.get(person, person) for person in counted)

    async def note_told(self) -> None:
        """Who has a partner, and what each of the applicants was told."""
        known = self.crowd.known_as
        async with self.stack.database.session() as session:
            items = await session.execute(
                select(ItemRow.person, ItemRow.name).where(
                    ItemRow.cohort == self.cohort,
                    ItemRow.person.in_(known),
                    ItemRow.state == "sent",
                    ItemRow.kind != "reminder",
                )
            )
            seats = await session.scalars(
                select(MembershipRow.person).where(
                    MembershipRow.cohort == self.cohort, MembershipRow.person.in_(known)
                )
            )
            self.paired = frozenset(known[person] for person in seats)
            self.told = Counter((known[person], name) for person, name in items)
        self._noted = True

    async def _robot(self) -> None:
        """A program fills in every field of the page, also the one that people do not see, and sends it at once."""
        one = self.crowd.applicants[0]
        typed: Typed = self.crowd.typed(one) | {"name": ["Robot"], "email": [ROBOT]}
        if not await self.crowd.visitor.apply_as_a_robot(self.cohort, one.role, typed):
            self.robots_refused += 1
            self._show_act("refused", "a program that fills in every field at once: its application is not taken")

    def _acted(self, what: str, who: SimulatedApplicant, text: str) -> None:
        self._show_act(what, f"{who.name} {text}")
