"""Signing in to the coordinators' web: a mailed link or its code, a printed link, and the session that follows.

A link and a code are random, good once and for a quarter of an hour, and stored as digests. A mailed link counts
only in the browser that asked for it, so that a link which was forwarded or read by somebody else opens nothing.
Whether an address is known is never said. All times here are real time (UTC), not program time.
"""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Literal

from operations.accounts.accounts import Account, AccountRules, Proof, Role
from store.accounts import sessions, sign_ins
from store.accounts.sessions import StoredSession
from store.accounts.sign_ins import StoredSignIn
from store.database import Database

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

LINK_LASTS = timedelta(minutes=15)
"""How long a link and its code can be used."""
SESSION_LASTS = timedelta(hours=12)
IDLE_AT_MOST = timedelta(minutes=60)
"""Unused for this long, a session ends."""
FRESH = timedelta(minutes=30)
"""What cannot be taken back asks for a sign-in that is not older."""
SEEN_EVERY = timedelta(minutes=1)
"""The use of a session is written down no more often than this."""
MOST_CODES = 5
"""Codes that may be tried for one mail: one in 200,000 guesses right."""
MOST_BY_ADDRESS = 4
"""Mails for one address within `LINK_LASTS`."""
MOST_BY_SENDER = 20
"""Requests from one network within `LINK_LASTS`."""
FORGOTTEN_AFTER = timedelta(days=1)
"""Requests and sessions that ended are deleted after this time."""

Refusal = Literal["unknown", "used", "expired", "other_browser", "wrong_code", "too_many"]
"""Why a link or a code signs nobody in."""


@dataclass(frozen=True, slots=True)
class Mailing:
    """What must be mailed: the secrets exist here and in the mail, and nowhere else."""

    token: str
    code: str
    account: Account


@dataclass(frozen=True, slots=True)
class Asked:
    """A request to sign in. `mailing` is None where the address is nobody's: no page may tell the difference."""

    browser: str
    """The cookie for the browser that asked."""
    mailing: Mailing | None = None


class Limited(Exception):
    """Too many requests for an address, or from a network; known and unknown addresses alike."""


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A session that has begun."""

    cookie: str
    account: Account


class SignIn:
    """Signing in to one installation. `secret` keys the digests of codes and senders."""

    def __init__(self, database: Database, rules: AccountRules, secret: str) -> None:
        self.database = database
        self.rules = rules
        self._secret = secret.encode()

    async def ask(self, address: str, sender: str, now: datetime) -> Asked:
        """Somebody wants a mail at this address. Raises Limited."""
        mark, sender_mark = self.rules.mark(address), self._keyed("sender", sender) if sender else ""
        token, browser, code = secrets.token_urlsafe(32), secrets.token_urlsafe(32), f"{secrets.randbelow(10**6):06}"
        id_ = secrets.token_hex(8)
        async with self.database.begin() as session:
            await sign_ins.forget(session, now - FORGOTTEN_AFTER)
            await sessions.forget(session, now - FORGOTTEN_AFTER)
            since = now - LINK_LASTS
            if await sign_ins.asked_since(session, since, mark=mark) >= MOST_BY_ADDRESS or (
                sender and await sign_ins.asked_since(session, since, sender=sender_mark) >= MOST_BY_SENDER
            ):
                raise Limited
            account = await self.rules.by_address(session, address)
            await sign_ins.put(
                session,
                StoredSignIn(
                    id=id_,
                    link=digest(token),
                    browser=digest(browser),
                    code=self._keyed("code", f"{id_}/{code}"),
                    account=account.id if account else "",
                    person=account.person if account else "",
                    mark=mark,
                    granted=(),
                    sender=sender_mark,
                    asked_at=now,
                    ends_at=now + LINK_LASTS,
                ),
            )
        return Asked(browser, Mailing(token, code, account) if account else None)

    async def print_link(
        self, account: Account, now: datetime, *, mark: str = "", granted: tuple[Role, ...] = ()
    ) -> str:
        """The token of a one-time link for a person with a shell on this machine; any browser may use it."""
        token = secrets.token_urlsafe(32)
        async with self.database.begin() as session:
            await sign_ins.forget(session, now - FORGOTTEN_AFTER)
            await sign_ins.put(
                session,
                StoredSignIn(
                    id=secrets.token_hex(8),
                    link=digest(token),
                    browser="",
                    code="",
                    account=account.id,
                    person=account.person,
                    mark=mark,
                    granted=granted,
                    sender="",
                    asked_at=now,
                    ends_at=now + LINK_LASTS,
                ),
            )
        return token

    async def check_link(self, token: str, browser: str, now: datetime) -> Refusal | None:
        """Why a link can't be used in this browser; None where it can. Changes nothing."""
        async with self.database.session() as session:
            return _why_not(await sign_ins.by_link(session, digest(token)), browser, now)

    async def by_link(self, token: str, browser: str, now: datetime, agent: str = "") -> SignedIn | Refusal:
        """Sign in by a link, in the browser whose cookie this is. The link is used up."""
        async with self.database.begin() as session:
            asked = await sign_ins.by_link(session, digest(token))
            why = _why_not(asked, browser, now)
            if asked is None or why is not None:
                return why or "unknown"
            if not await sign_ins.use(session, asked.id, now):
                return "used"
            stored = _session_of(asked, "mailed_link" if asked.browser else "printed_link", agent, now)
            account = await self.rules.by_session(session, stored)
            if account is None:
                return "unknown"
            return await self._begin(session, stored, account)

    async def by_code(self, code: str, browser: str, now: datetime, agent: str = "") -> SignedIn | Refusal:
        """Sign in by the code of the mail that the browser with this cookie asked for. Each attempt is counted, and
        an address that nobody knows refuses every code in the same way."""
        async with self.database.begin() as session:
            asked = await sign_ins.by_browser(session, digest(browser)) if browser else None
            why = _why_not(asked, browser, now)
            if asked is None or why is not None:
                return why or "unknown"
            if not await sign_ins.count_attempt(session, asked.id, MOST_CODES):
                return "too_many"
            digits = "".join(filter(str.isdigit, code))
            right = hmac.compare_digest(self._keyed("code", f"{asked.id}/{digits}"), asked.code)
            if not right or not asked.account:
                return "wrong_code"
            if not await sign_ins.use(session, asked.id, now):
                return "used"
            stored = _session_of(asked, "mailed_code", agent, now)
            account = await self.rules.by_session(session, stored)
            if account is None:
                return "unknown"
            return await self._begin(session, stored, account)

    async def vouched(
        self,
        account: Account,
        mark: str,
        proof: Proof,
        now: datetime,
        agent: str = "",
        granted: tuple[Role, ...] = (),
        *,
        proved_at: datetime | None = None,
    ) -> SignedIn:
        """Begin a session for somebody for whom an OpenID provider or the proxy has vouched; `proved_at` is when they
        proved who they are, where that was earlier."""
        stored = StoredSession(
            id=secrets.token_hex(8),
            account=account.id,
            person=account.person,
            mark=mark,
            granted=granted,
            name="" if account.person else account.name,
            proof=proof,
            browser=agent,
            signed_in_at=proved_at or now,
            seen_at=now,
            ends_at=now + SESSION_LASTS,
        )
        async with self.database.begin() as session:
            await sessions.forget(session, now - FORGOTTEN_AFTER)
            return await self._begin(session, stored, account)

    async def account(self, cookie: str, now: datetime) -> Account | None:
        """Who is signed in with this cookie; None where the session ended, or its account may come in no more."""
        if not cookie:
            return None
        async with self.database.session() as session:
            stored, holder = await sessions.find(session, digest(cookie))
        if stored is None or now >= min(stored.ends_at, stored.seen_at + IDLE_AT_MOST):
            return None
        account = self.rules.of_session(stored, holder)
        if account is not None and now - stored.seen_at >= SEEN_EVERY:
            async with self.database.begin() as session:
                await sessions.seen(session, digest(cookie), now)
        return replace(account, mark=stored.mark) if account else None

    async def own_sessions(self, account: Account, now: datetime) -> list[StoredSession]:
        """The sessions of an account that have not ended, the latest used first."""
        async with self.database.session() as session:
            return await sessions.of_account(session, account.id, now, now - IDLE_AT_MOST)

    async def all_sessions(self, now: datetime) -> list[StoredSession]:
        """The sessions of everybody that have not ended, the latest used first."""
        async with self.database.session() as session:
            return await sessions.all_alive(session, now, now - IDLE_AT_MOST)

    async def end(self, account: Account, session_id: str = "") -> int:
        """End one session of an account by its id, or all of them; how many ended."""
        async with self.database.begin() as session:
            return await sessions.end(session, account.id, session_id)

    async def _begin(self, session: AsyncSession, stored: StoredSession, account: Account) -> SignedIn:
        cookie = secrets.token_urlsafe(32)
        await sessions.put(session, digest(cookie), stored)
        begun = replace(
            account,
            session=stored.id,
            proof=stored.proof,  # pyright: ignore[reportArgumentType]
            signed_in_at=stored.signed_in_at,
        )
        return SignedIn(cookie, begun)

    def _keyed(self, purpose: str, value: str) -> str:
        return hmac.digest(self._secret, f"mentorship.{purpose}:{value}".encode(), "sha256").hex()


def digest(secret: str) -> str:
    """What is stored of a random secret of 256 bits: without a key, for nobody can guess it."""
    return sha256(secret.encode()).hexdigest()


def _why_not(asked: StoredSignIn | None, browser: str, now: datetime) -> Refusal | None:
    if asked is None:
        return "unknown"
    if asked.used_at is not None:
        return "used"
    if now >= asked.ends_at:
        return "expired"
    if asked.browser and not hmac.compare_digest(asked.browser, digest(browser)):
        return "other_browser"
    return None


def _session_of(asked: StoredSignIn, proof: Proof, agent: str, now: datetime) -> StoredSession:
    return StoredSession(
        id=secrets.token_hex(8),
        account=asked.account,
        person=asked.person,
        mark=asked.mark,
        granted=asked.granted,
        name="",
        proof=proof,
        browser=agent,
        signed_in_at=now,
        seen_at=now,
        ends_at=now + SESSION_LASTS,
    )
