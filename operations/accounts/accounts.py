"""Accounts of the coordinators' web: nobody has a password, and nobody has an account that no file names.

An account is a person whom a cohort's file names as coordinator, deputy or reader, or an address in
`MENTORSHIP_ADMINISTRATORS`. What an account may do is worked out on every request, so that a change of a file counts
with the next click. An address is never stored for this: a keyed digest of it is (`mark`).
"""

from __future__ import annotations

import hmac
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal, get_args

from sqlalchemy.ext.asyncio import AsyncSession

from store.accounts import accounts
from store.accounts.accounts import RoleHolder
from store.accounts.sessions import StoredSession

Role = Literal["reader", "coordinator", "deputy", "administrator"]
ROLES: tuple[Role, ...] = get_args(Role)
COHORT_ROLES: tuple[Role, ...] = ("coordinator", "deputy", "reader")
"""Roles that somebody holds in a cohort; an administrator holds one for the whole installation."""
Proof = Literal["mailed_link", "mailed_code", "printed_link", "openid", "proxy_header"]
"""By what somebody proved who they are."""


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody who is signed in, with what they may do right now."""

    id: str
    """A participant's id; `admin-…` or `oidc-…` for somebody who is no person of any cohort."""
    name: str
    """For people to read: a name, or an address. Never for a log."""
    roles: Mapping[str, Role] = field(default_factory=dict[str, Role])
    """Cohort id to the role in it."""
    everywhere: frozenset[Role] = frozenset()
    """Roles for the whole installation: `administrator`, and `reader` where the OpenID provider grants it."""
    person: str = ""
    """The participant's id; empty where there is none."""
    session: str = ""
    """Id of the session."""
    proof: Proof = "mailed_link"
    signed_in_at: datetime | None = None
    """Real time (UTC)."""
    mark: str = ""
    """Keyed digest of the address that signed in."""

    def roles_in(self, cohort: str) -> frozenset[Role]:
        """The roles that count in a cohort."""
        own: set[Role] = {self.roles[cohort]} if cohort in self.roles else set()
        return self.everywhere | own

    def may(self, roles: Collection[Role], cohort: str = "") -> bool:
        """Whether one of these roles is held, in this cohort; without one: in any, or for the installation."""
        held = self.roles_in(cohort) if cohort else self.everywhere | set(self.roles.values())
        return not held.isdisjoint(roles)

    def cohorts(self, *roles: Role) -> tuple[str, ...]:
        """The cohorts in which one of these roles is held by name (any, where none is given)."""
        return tuple(cohort for cohort, role in self.roles.items() if not roles or role in roles)


class AccountRules:
    """Who has an account, by the settings of an installation and what its cohorts' files say."""

    def __init__(self, secrets: tuple[str, ...], administrators: Collection[str] = ()) -> None:
        self._secrets = secrets
        self._administrators = {
            mark: address for address in administrators for mark in self._marks(address) if address.strip()
        }

    def mark(self, address: str) -> str:
        """The keyed digest of an address: the same for every spelling in capitals."""
        return self._marks(address)[0]

    async def by_address(self, session: AsyncSession, address: str) -> Account | None:
        """The account of an address; None where nobody with it may come in."""
        holder = await accounts.holder_by_address(session, address)
        return self._account(holder, self.mark(address))

    async def by_session(self, session: AsyncSession, stored: StoredSession) -> Account | None:
        """The account of somebody who is signed in; None where they may come in no more."""
        holder = await accounts.holder_by_id(session, stored.person) if stored.person else None
        return self.of_session(stored, holder)

    def of_session(self, stored: StoredSession, holder: RoleHolder | None) -> Account | None:
        """The same, of the person of that session with their roles."""
        account = self._account(holder, stored.mark, frozenset(_role(role) for role in stored.granted))
        if account is None:
            return None
        return replace(
            account,
            id=account.id if holder else stored.account,
            name=account.name or stored.name,
            session=stored.id,
            proof=stored.proof,  # pyright: ignore[reportArgumentType]
            signed_in_at=stored.signed_in_at,
        )

    def _account(
        self, holder: RoleHolder | None, mark: str, granted: frozenset[Role] = frozenset()
    ) -> Account | None:
        administers: set[Role] = {"administrator"} if mark in self._administrators else set()
        everywhere = granted | administers
        if holder is not None:
            roles: dict[str, Role] = {cohort: _role(role) for cohort, role in holder.roles.items()}
            return Account(holder.person, holder.name, roles, everywhere, holder.person)
        if not everywhere:
            return None
        return Account(f"admin-{mark[:12]}", self._administrators.get(mark, ""), {}, everywhere)

    def _marks(self, address: str) -> tuple[str, ...]:
        spelled = address.strip().lower().encode()
        return tuple(
            hmac.digest(secret.encode(), b"mentorship.account:" + spelled, "sha256").hex() for secret in self._secrets
        )


def _role(name: str) -> Role:
    return next(role for role in ROLES if role == name)
