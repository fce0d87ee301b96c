"""Whether an installation is fit to run: each finding says what is wrong and what to do about it.

Looks, and mends only what it is told to; mails nobody and starts nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Literal
from urllib.parse import urlsplit

import httpx
from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.operatorservice.v1 import ListSearchAttributesRequest
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest, DescribeTaskQueueRequest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from activities.smtp import NotSent, Relay, SmtpTransport
from operations.links import SHORTEST_SECRET
from operations.reach import Unreachable, address, check_database, shown, temporal
from operations.settings import Settings
from operations.temporal import register_search_attributes
from store.database import migrate
from workflows import search_attributes

State = Literal["good", "mended", "warning", "fault"]

A_SECRET = "python -c 'import secrets; print(secrets.token_urlsafe(32))'"
KEPT_SECRET = "secret"
"""Where the embedded stack keeps the secret that it made, in the data folder."""
ANSWERS_WITHIN = 5.0
"""Real seconds that the relay and the pages have to answer."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. `remedy` is empty where nothing is to be done."""

    what: str
    state: State
    says: str
    remedy: str = ""


async def examine(settings: Settings, *, fix: bool = False) -> AsyncIterator[Finding]:
    """Look at everything, one after the other. `fix` registers search attributes and migrates the database."""
    for finding in _settings(settings):
        yield finding
    yield await _database(settings, fix)
    try:
        client = await temporal()
        yield Finding("Temporal", "good", f"answers at {address()}")
        namespace = await _namespace(client)
        yield namespace
        if namespace.state == "good":
            yield await _attributes(client, fix)
            yield await _worker(client, settings)
    except Unreachable as missing:
        says, _, remedy = str(missing).partition("\n")
        yield Finding("Temporal", "fault", says, remedy)
    except RPCError as error:
        says = f"answers at {address()}, and refuses what we ask ({error.status.name})"
        yield Finding("Temporal", "fault", says, "Look at TEMPORAL_API_KEY and the TEMPORAL_TLS_* settings.")
    yield await _relay(settings)
    yield await _pages(settings)


# -- what the settings say ---------------------------------------------------------------------------------------


def _settings(settings: Settings) -> list[Finding]:
    found = [_secret(settings), _public_url(settings)]
    domain = settings.mail_from.rpartition("@")[2]
    if not domain or domain.startswith("localhost"):
        what = f"mails would come from {settings.mail_from or 'nobody'}"
        found.append(Finding("sender", "warning", what, "Set MENTORSHIP_MAIL_FROM to an address of your domain."))
    if settings.redirect_all_to:
        what = "every mail goes to MENTORSHIP_REDIRECT_ALL_TO instead of its reader"
        found.append(Finding("staging guard", "warning", what, "Leave it out when people should get their mail."))
    if settings.speed != 1.0:
        what = f"program time passes {settings.speed:g} times as fast as real time"
        found.append(Finding("clock", "warning", what, "Leave MENTORSHIP_SPEED out, unless this is a demo."))
    return found


def _secret(settings: Settings) -> Finding:
    kept = settings.data / KEPT_SECRET
    if not settings.secrets and kept.is_file():
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
    if _loopback(url.hostname):
        remedy = (
            "Fine for trying things out; otherwise set MENTORSHIP_PUBLIC_URL to the address that people can reach."
        )
        says = f"links in mails lead to {settings.public_url}, which only this machine can open"
        return Finding("public URL", "warning", says, remedy)
    if url.scheme == "http":
        remedy = "Put the pages behind TLS and set MENTORSHIP_PUBLIC_URL to https://…"
        return Finding("public URL", "fault", f"{settings.public_url} would send answers over an open line", remedy)
    return Finding("public URL", "good", settings.public_url)


def _loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


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
        return Finding("database", "mended", f"brought up to date: {shown(url)}")
    return Finding("database", "good", f"answers and is up to date: {shown(url)}")


async def _namespace(client: Client) -> Finding:
    try:
        await client.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace=client.namespace))
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        remedy = f"Create it (temporal operator namespace create -n {client.namespace}), or set TEMPORAL_NAMESPACE."
        return Finding("namespace", "fault", f"there is no namespace {client.namespace!r}", remedy)
    return Finding("namespace", "good", client.namespace)


async def _attributes(client: Client, fix: bool) -> Finding:
    what = "search attributes"
    if fix:
        added = await register_search_attributes(client)
        return Finding(
            what, "mended" if added else "good", f"registered {', '.join(added)}" if added else "registered"
        )
    request = ListSearchAttributesRequest(namespace=client.namespace)
    known = (await client.operator_service.list_search_attributes(request)).custom_attributes
    missing = [key.name for key in search_attributes.ALL if key.name not in known]
    if missing:
        remedy = "Run `mentorship doctor --fix`; without them no mentorship can be started."
        return Finding(what, "fault", f"not registered: {', '.join(missing)}", remedy)
    return Finding(what, "good", "registered")


async def _worker(client: Client, settings: Settings) -> Finding:
    request = DescribeTaskQueueRequest(
        namespace=client.namespace,
        task_queue=TaskQueue(name=settings.task_queue),
        task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
    )
    pollers = len((await client.workflow_service.describe_task_queue(request)).pollers)
    if not pollers:
        says = f"nobody takes up work from the queue {settings.task_queue!r}"
        return Finding("worker", "warning", says, "Start one: mentorship worker")
    return Finding("worker", "good", f"work is taken up from the queue {settings.task_queue!r}")


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
                timeout=ANSWERS_WITHIN,
            )
        )
        await transport.check()
    except ValueError as error:
        return Finding("mail relay", "fault", str(error), remedy)
    except NotSent as failure:
        return Finding("mail relay", "fault", f"{where} does not let us in ({failure})", remedy)
    return Finding("mail relay", "good", f"answers at {where}")


async def _pages(settings: Settings) -> Finding:
    url = f"{settings.public_url.rstrip('/')}/healthz"
    remedy = "Start them (mentorship web), or look at what stands between them and the world."
    try:
        async with httpx.AsyncClient(timeout=ANSWERS_WITHIN, follow_redirects=False) as http:
            answer = await http.get(url)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return Finding("pages", "warning", f"{url} does not answer ({type(error).__name__})", remedy)
    if answer.status_code != 200 or answer.text.strip() != "ok":
        return Finding("pages", "warning", f"{url} is not answered by our pages ({answer.status_code})", remedy)
    return Finding("pages", "good", f"answer at {settings.public_url}")
