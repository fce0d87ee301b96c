"""What every page of the coordinators' web is handed: who asks, what they may do, and what it takes to answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from operations import audit
from operations.accounts.accounts import Account, Role
from operations.accounts.sign_in import FRESH, SignIn
from operations.audit import AuditEntry
from operations.forms.parse import Typed
from operations.plan_runner import PlanRunner
from runtime.outbox_relay import Tell
from runtime.settings import Settings
from store.database import Database
from web.coordinator.rendering import CoordinatorPages
from web.coordinator.words import Words
from web.forms.routes import typed_in

if TYPE_CHECKING:
    from temporalio.client import Client


@dataclass(frozen=True, slots=True)
class NavigationEntry:
    """One entry of the navigation: a page that this account may open."""

    name: str
    """Name of the route; its words are `navigation.<name>`."""
    path: str


@dataclass(frozen=True)
class Site:
    """What all visits of one installation share."""

    settings: Settings
    database: Database
    pages: CoordinatorPages
    words: Words
    sign_in: SignIn
    clock_now: Callable[[], datetime]
    """Program time, UTC."""
    real_now: Callable[[], datetime]
    """Real time, UTC: for sessions and links."""
    tell: Tell
    """Tells a workflow of an event."""
    client: Client | None
    """Temporal; it connects with its first call, which fails where Temporal is away. None only in tests."""
    plans: PlanRunner | None
    """Carries out what was confirmed. None only in tests."""


@dataclass(frozen=True)
class Visit:
    """One request of somebody."""

    site: Site
    path: str
    """The path that was asked for, as the browser sees it."""
    route: str
    """Name of the route."""
    signed_in: Account | None
    navigation: Sequence[NavigationEntry]
    now: datetime
    """Program time, UTC."""
    noted: list[str] = field(default_factory=list[str])
    """What this request has put into the audit log; the gate adds a row to a POST that has none."""

    @property
    def proof(self) -> str:
        """By what the account was proved, for the audit log."""
        return self.signed_in.proof if self.signed_in else audit.NOBODY

    def entry(self, what: str, **facts: Any) -> AuditEntry:
        """A row for the audit log of who acts here: `cohort`, `ids`, `plan`, `reason`, `result`. The caller
        writes it, by `record` or inside the transaction of the act (`operations.audit.put`)."""
        self.noted.append(what)
        return AuditEntry(what, by=self.signed_in.id if self.signed_in else "", proof=self.proof, **facts)

    async def record(self, what: str, **facts: Any) -> None:
        """Write a row of the audit log in a transaction of its own."""
        await audit.record(self.database, self.now, self.entry(what, **facts))

    def as_account(self, account: Account) -> Visit:
        """The same request, of the account that has just signed in."""
        return replace(self, signed_in=account)

    @property
    def account(self) -> Account:
        """Who is signed in. Raises LookupError on the pages that anybody may open."""
        if self.signed_in is None:
            raise LookupError("nobody is signed in on this page")
        return self.signed_in

    @property
    def database(self) -> Database:
        """The database of the installation."""
        return self.site.database

    @property
    def client(self) -> Client | None:
        """Temporal, which may be away: a call raises RPCError then."""
        return self.site.client

    @property
    def settings(self) -> Settings:
        """The settings of the installation."""
        return self.site.settings

    @property
    def words(self) -> Words:
        """The words of the pages."""
        return self.site.words

    @property
    def root(self) -> str:
        """The path under which all pages lie; empty at the top of a host."""
        return self.site.pages.root

    @property
    def fresh(self) -> bool:
        """Whether the sign-in is fresh enough for what can't be taken back (30 minutes)."""
        at = self.signed_in.signed_in_at if self.signed_in else None
        return at is not None and self.site.real_now() - at <= FRESH

    def may(self, *roles: Role, cohort: str = "") -> bool:
        """Whether one of these roles is held in this cohort (without one: anywhere)."""
        return self.account.may(roles, cohort)

    def page(self, template: str, status: int = 200, **context: Any) -> Response:
        """The page of this template (`today.html`), with what the layout needs."""
        return self.site.pages.page(
            template,
            status,
            account=self.signed_in,
            navigation=self.navigation,
            route=self.route,
            path=self.path,
            now=self.now,
            may=self.may,
            **context,
        )

    def message(self, key: str, status: int, **values: Any) -> Response:
        """A plain page that says what happened and what to do: the words `messages.<key>.heading` and `.text`."""
        return self.page("message.html", status, key=key, values=values)

    def to(self, path: str) -> Response:
        """On to another page of ours, `/c/…`, after a POST."""
        return RedirectResponse(f"{self.root}{path}", 303)

    def ask_fresh(self) -> Response:
        """The page that asks for a fresh sign-in. Nothing was changed."""
        back = self.path.removeprefix(self.root)
        return self.page("sign_in_again.html", 403, again=f"{self.root}/c/sign-in?{urlencode({'next': back})}")

    async def typed(self, request: Request) -> Typed:
        """The fields of a POST: name to values, harmless text within the limits."""
        return await typed_in(request)
