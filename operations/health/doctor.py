"""Whether an installation is fit to run: each finding says what is wrong and what to do about it.

Looks, and fixes only what it is told to; mails nobody and starts nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import httpx
import structlog
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError
from temporalio.api.operatorservice.v1 import ListSearchAttributesRequest
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from activities.delivery.loopback import is_loopback
from activities.delivery.smtp import NotSent, Relay, SmtpTransport
from operations.health.backlog import examine_backlog
from operations.health.findings import Finding
from operations.health.mail_words import examine_mail_words
from operations.health.sender_domain import examine_domain, reserved
from operations.health.sign_in import examine_sign_in
from operations.health.worker import examine_worker
from operations.health.workflow_findings import examine_workflows
from runtime import running_stack
from runtime.connect import address, check_database, shown, temporal
from runtime.errors import Unreachable
from runtime.links import SHORTEST_SECRET
from runtime.settings import KEPT_SECRET, NAME_TEMPORAL, Settings, now_of, stack_of
from runtime.temporal import register_search_attributes
from runtime.temporal_connection import stack_down
from store.database import Database, migrate
from store.reports.metrics import count_all
from workflows import search_attributes

log = structlog.get_logger(__name__)

A_SECRET = "python -c 'import secrets; print(secrets.token_urlsafe(32))'"
ANSWERS_WITHIN = 5.0
"""Real seconds that the relay and the pages have to answer."""
KEPT_FOR = timedelta(days=30)
"""Closed workflows that are forgotten sooner can't be looked at when somebody asks."""
CLOCKS_APART = timedelta(seconds=5)
"""More than that, and letterboxes open late or early."""


async def examine(settings: Settings, *, fix: bool = False) -> AsyncIterator[Finding]:
    """Look at everything, one after the other. `fix` registers search attributes and migrates the database."""
    for finding in _settings(settings):
        yield finding
    database = await _database(settings, fix)
    yield database
    if database.state != "fault":
        for finding in await _inside(settings):
            yield finding
    stack = _stack(settings)
    for finding in stack:
        yield finding
    if any(finding.state == "fault" for finding in stack):
        # Its Temporal, relay and pages are away with it: one fault, and not four.
        return
    try:
        client = await temporal()
        yield Finding("Temporal", "good", f"answers at {address()}")
        namespace = await _namespace(client)
        yield namespace
        if namespace.state != "fault":
            yield await _attributes(client, fix)
            yield await examine_worker(client, settings.task_queue)
            if database.state != "fault":
                for finding in await examine_workflows(client, settings):
                    yield finding
    except Unreachable as missing:
        says, _, remedy = str(missing).partition("\n")
        yield Finding("Temporal", "fault", says, remedy)
    except RPCError as error:
        says = f"answers at {address()}, and refuses what we ask ({error.status.name})"
        yield Finding("Temporal", "fault", says, "Look at TEMPORAL_API_KEY and the TEMPORAL_TLS_* settings.")
    yield await _relay(settings)
    for finding in await _domain(settings):
        yield finding
    for finding in await _pages(settings):
        yield finding


async def examined(settings: Settings, within: float) -> tuple[list[Finding], bool]:
    """What is found within so many real seconds, and whether the examination came to its end. What it looks at can go
    away while it looks: what was found until then counts."""
    found: list[Finding] = []
    try:
        async with asyncio.timeout(within):
            async for one in examine(settings):
                found.append(one)
    except (TimeoutError, SQLAlchemyError, OSError, RPCError, RuntimeError) as error:
        log.warning("examination_ended", error=type(error).__name__)
        return found, False
    return found, True


# -- what the settings say ---------------------------------------------------------------------------------------


def _settings(settings: Settings) -> list[Finding]:
    found = [_secret(settings), _public_url(settings)]
    if settings.public_url.startswith("https://") and not settings.proxies:
        what = "whatever speaks TLS before the pages looks to them like everybody, so nobody is limited by address"
        remedy = "Set MENTORSHIP_PROXIES to the number of proxies before the pages that add to X-Forwarded-For."
        found.append(Finding("proxies", "warning", what, remedy))
    domain = settings.mail_from.rpartition("@")[2]
    if not domain or reserved(domain):
        what = f"mails would come from {settings.mail_from or 'nobody'}, a domain that belongs to nobody"
        found.append(Finding("sender", "warning", what, "Set MENTORSHIP_MAIL_FROM to an address of your domain."))
    if settings.redirect_all_to:
        what = "every mail goes to MENTORSHIP_REDIRECT_ALL_TO instead of its reader"
        found.append(Finding("staging guard", "warning", what, "Leave it out when people should get their mail."))
    if settings.speed != 1.0:
        what = f"program time passes {settings.speed:g} times as fast as real time"
        found.append(Finding("clock", "warning", what, "Leave MENTORSHIP_SPEED out, unless this is a demo."))
    return found + examine_sign_in(settings)


def _secret(settings: Settings) -> Finding:
    kept = settings.data / KEPT_SECRET
    if kept.is_file() and settings.secrets in ((), (kept.read_text("utf-8").strip(),)):
        return Finding("secret", "good", f"the embedded stack has its own, in {kept}")
    if not settings.secrets:
        says = "there is no secret to sign the links in mails with"
        return Finding("secret", "fault", says, f"Set MENTORSHIP_SECRET; make one with: {A_SECRET}")
    weak = [one for one in settings.secrets if len(one) < SHORTEST_SECRET or len(set(one)) < 10]
    if weak:
        says = f"a secret is shorter than {SHORTEST_SECRET} characters, or easily guessed"
        remedy = (
            f"Put a stronger one before it, separated by a comma, and drop it once old links are past: {A_SECRET}"
        )
        return Finding("secret", "fault", says, remedy)
    several = f"; {len(settings.secrets) - 1} older still accepted" if len(settings.secrets) > 1 else ""
    return Finding("secret", "good", f"is strong{several}")


def _public_url(settings: Settings) -> Finding:
    url = urlsplit(settings.public_url)
    if url.scheme not in ("http", "https") or not url.hostname:
        remedy = "Set MENTORSHIP_PUBLIC_URL to the address of the pages, such as https://mentoring.example.org"
        return Finding("public URL", "fault", f"{settings.public_url!r} is no address", remedy)
    if is_loopback(url.hostname) or url.hostname.endswith(".localhost"):
        remedy = (
            "Fine for trying things out; otherwise set MENTORSHIP_PUBLIC_URL to the address that people can reach."
        )
        says = f"links in mails lead to {settings.public_url}, which only this machine can open"
        return Finding("public URL", "warning", says, remedy)
    if url.scheme == "http":
        remedy = "Put the pages behind TLS and set MENTORSHIP_PUBLIC_URL to https://…"
        return Finding("public URL", "fault", f"{settings.public_url} would send answers over an open line", remedy)
    return Finding("public URL", "good", settings.public_url)


def _stack(settings: Settings) -> list[Finding]:
    """The embedded stack of the data folder; nothing where none has run there."""
    record = running_stack.read(settings.data)
    if record is None:
        return []
    what, runs = "embedded stack", running_stack.runs(settings.data)
    if stack_of(settings) is None:
        if not runs:
            return []
        says = f"runs as process {record.pid}, and the environment (or .env) names another Temporal server"
        remedy = f"Commands go to {address()}. To reach the stack, unset {', '.join(NAME_TEMPORAL)}."
        return [Finding(what, "warning", says, remedy)]
    if not runs:
        says, _, remedy = stack_down(settings).partition("\n")
        return [Finding(what, "fault", says, remedy)]
    return [Finding(what, "good", f"runs as process {record.pid}; its pages are {record.pages}")]


# -- what answers ------------------------------------------------------------------------------------------------


async def _database(settings: Settings, fix: bool) -> Finding:
    url = settings.database
    try:
        await asyncio.to_thread(check_database, url)
    except Unreachable as missing:
        says, _, remedy = str(missing).partition("\n")
        if not fix or "does not answer" in says:
            return Finding("database", "fault", says, remedy)
        await asyncio.to_thread(migrate, url)
        return Finding("database", "fixed", f"brought up to date: {shown(url)}")
    return Finding("database", "good", f"answers and is up to date: {shown(url)}")


async def _namespace(client: Client) -> Finding:
    try:
        described = await client.workflow_service.describe_namespace(
            DescribeNamespaceRequest(namespace=client.namespace)
        )
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        remedy = f"Create it (temporal operator namespace create -n {client.namespace}), or set TEMPORAL_NAMESPACE."
        return Finding("namespace", "fault", f"there is no namespace {client.namespace!r}", remedy)
    kept = described.config.workflow_execution_retention_ttl.ToTimedelta()
    says = f"{client.namespace} keeps closed workflows for {kept.days} days"
    if kept < KEPT_FOR:
        remedy = f"Keep them longer: temporal operator namespace update -n {client.namespace} --retention 90d"
        return Finding("namespace", "warning", says, remedy)
    return Finding("namespace", "good", says)


async def _attributes(client: Client, fix: bool) -> Finding:
    what = "search attributes"
    if fix:
        added = await register_search_attributes(client)
        return Finding(
            what, "fixed" if added else "good", f"registered {', '.join(added)}" if added else "registered"
        )
    request = ListSearchAttributesRequest(namespace=client.namespace)
    known = (await client.operator_service.list_search_attributes(request)).custom_attributes
    missing = [key.name for key in search_attributes.ALL if key.name not in known]
    if missing:
        remedy = "Run `mentorship doctor --fix`; without them no mentorship can be started."
        return Finding(what, "fault", f"not registered: {', '.join(missing)}", remedy)
    return Finding(what, "good", "registered")


async def _relay(settings: Settings) -> Finding:
    where = f"{settings.smtp_host}:{settings.smtp_port}"
    remedy = "Look at MENTORSHIP_SMTP_HOST, _PORT, _SECURITY, _USER and _PASSWORD. Mails wait until it answers."
    try:
        transport = SmtpTransport(
            Relay(
                settings.smtp_host,
                settings.smtp_port,
                settings.smtp_security,
                settings.smtp_user,
                settings.smtp_password.get_secret_value(),
                ca_file=settings.smtp_ca_file,
                timeout=ANSWERS_WITHIN,
            )
        )
        utf8 = await transport.check()
    except ValueError as error:
        return Finding("mail relay", "fault", str(error), remedy)
    except NotSent as failure:
        return Finding("mail relay", "fault", f"{where} does not let us in ({failure})", remedy)
    if settings.smtp_utf8 and not utf8:
        says = f"{where} does not offer SMTPUTF8, which MENTORSHIP_SMTP_UTF8 says it does"
        return Finding(
            "mail relay", "fault", says, "Set MENTORSHIP_SMTP_UTF8=false, or turn SMTPUTF8 on at the relay."
        )
    line = "in the clear, on this machine" if settings.smtp_security == "none" else "over TLS"
    known = f"knows us as {settings.smtp_user}" if settings.smtp_user else "asks for no password"
    return Finding("mail relay", "good", f"answers at {where} {line}, and {known}")


async def _domain(settings: Settings) -> list[Finding]:
    domain = settings.mail_from.rpartition("@")[2]
    if not domain or reserved(domain):
        return []
    selectors = [one.strip() for one in settings.dkim_selector.split(",") if one.strip()]
    return await examine_domain(settings.mail_from, settings.bounce_address, selectors)


async def _pages(settings: Settings) -> list[Finding]:
    url = f"{settings.public_url.rstrip('/')}/healthz"
    remedy = "Start them (mentorship web), or look at what stands between them and the world."
    try:
        async with httpx.AsyncClient(timeout=ANSWERS_WITHIN, follow_redirects=False) as http:
            answer = await http.get(url)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        if "CERTIFICATE_VERIFY_FAILED" in str(error):
            return [Finding("pages", "fault", f"{url} has a certificate that nobody trusts", "Give it one that is.")]
        return [Finding("pages", "warning", f"{url} does not answer ({type(error).__name__})", remedy)]
    if answer.status_code != 200 or answer.text.strip() != "ok":
        return [Finding("pages", "warning", f"{url} is not answered by our pages ({answer.status_code})", remedy)]
    found = [Finding("pages", "good", f"answer at {settings.public_url}")]
    try:
        theirs = parsedate_to_datetime(answer.headers["date"])
    except (KeyError, ValueError):
        return found
    # The header has whole seconds, and was written a moment ago.
    return [*found, *_clock("the pages", theirs, timedelta(seconds=1))]


async def _inside(settings: Settings) -> list[Finding]:
    """What the database says of its clock, of what has piled up and of the words of mails."""
    now = now_of(settings)
    async with Database.open(settings.database) as database:
        async with database.session() as session:
            totals = await count_all(session, now)
            clock = [] if database.sqlite else _clock("the database", await session.scalar(select(func.now())))
        words = await examine_mail_words(database, settings)
    return [*clock, *examine_backlog(totals, now), *words]


def _clock(whose: str, theirs: datetime | None, unsure: timedelta = timedelta(0)) -> list[Finding]:
    """Whether a clock agrees with that of this machine; nothing where it does."""
    if theirs is None:
        return []
    apart = abs(datetime.now(UTC) - theirs)
    if apart <= CLOCKS_APART + unsure:
        return []
    says = f"this machine and {whose} are {apart.total_seconds():.0f} seconds apart"
    return [
        Finding("clock", "fault", says, "Let both keep time by NTP (timedatectl): dates and letterboxes need it.")
    ]
