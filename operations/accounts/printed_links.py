"""One-time links for those who have a shell on the machine of the installation: for the first sign-in, for a day on
which no mail goes, and for an embedded stack.

Who can run the command can read the database anyway, so it asks for no further proof; it leaves a row in the audit.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from operations import audit
from operations.accounts.accounts import Account, AccountRules, Role
from operations.accounts.sign_in import LINK_LASTS, SignIn
from operations.audit import COMMAND_LINE, AuditEntry
from operations.errors import NotFound
from program.faults import nearest
from runtime.settings import Settings, now_of
from store.accounts import accounts
from store.database import Database

OPERATOR = Account("operator", "")
"""The person who runs the command, where none is named: an administrator who coordinates no cohort."""


@dataclass(frozen=True, slots=True)
class PrintedLink:
    """A link that signs in once."""

    url: str
    account: str
    name: str
    """Empty for the operator."""
    until: datetime
    """Real time, UTC."""


async def print_link(database: Database, settings: Settings, who: str = "") -> PrintedLink:
    """A one-time link for a coordinator, deputy or reader (id, name or address) or, without one, for the operator as
    an administrator. Raises NotFound where nobody of that name has a role."""
    rules = AccountRules(settings.secrets, settings.administrator_addresses)
    now = datetime.now(UTC)
    account, mark = OPERATOR, ""
    granted: tuple[Role, ...] = ("administrator",)
    if who:
        account, mark = await _account(database, rules, who)
        granted = ()
    sign_in = SignIn(database, rules, settings.secrets[0])
    token = await sign_in.print_link(account, now, mark=mark, granted=granted)
    entry = AuditEntry("sign-in link printed", proof=COMMAND_LINE, ids=(account.id,), result="done")
    await audit.record(database, now_of(settings), entry)
    url = f"{settings.public_url.rstrip('/')}/c/sign-in/link/{token}"
    return PrintedLink(url, account.id, account.name, now + LINK_LASTS)


async def _account(database: Database, rules: AccountRules, who: str) -> tuple[Account, str]:
    wanted = who.strip().casefold()
    async with database.session() as session:
        if "@" in who and (account := await rules.by_address(session, who)):
            return account, rules.mark(who)
        holders = await accounts.all_holders(session)
    for holder in holders:
        if wanted in (holder.person.casefold(), holder.name.casefold(), holder.email.casefold()):
            return Account(holder.person, holder.name, person=holder.person), rules.mark(holder.email)
    near = nearest(who, [holder.person for holder in holders])
    listed = ", ".join(f"{holder.person} ({holder.name})" for holder in holders)
    remedy = f"did you mean {near[0]}?" if near else f"there are {listed or 'none yet: launch a cohort first'}"
    raise NotFound(f"{who!r} coordinates and reads no cohort; {remedy}")
