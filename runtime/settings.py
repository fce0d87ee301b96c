"""All settings in one class, from `MENTORSHIP_*` variables, a `.env` file, or a folder of secrets.

A secret may stand in a file of its own, named like its variable in small letters (`mentorship_secret`), in the folder
that `MENTORSHIP_SECRETS_DIR` names: by default /run/secrets, where containers are handed them.
Temporal's own connection settings are not here: they are the standard `TEMPORAL_*` variables and profiles of the SDK.
Where an embedded stack keeps its data in the folder that the settings name, `load_settings` gives them as that runs.
"""

from __future__ import annotations

from datetime import UTC, datetime
from ipaddress import ip_network
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SecretsSettingsSource,
    SettingsConfigDict,
)

from lifecycle.clock import Clock
from runtime import running_stack
from runtime.environment import ENV_FILE, environment
from runtime.running_stack import StackRecord

SECRETS_DIR = "/run/secrets"
"""The folder in which containers get their secrets."""
KEPT_SECRET = "secret"
"""File in the data folder in which the embedded stack keeps the secret that it made."""
CLAIMED_ROLES = ("administrator", "reader")
"""Roles that a claim of an OpenID provider can grant; who coordinates is in the cohorts' files only."""
NAME_TEMPORAL = ("TEMPORAL_ADDRESS", "TEMPORAL_PROFILE", "TEMPORAL_CONFIG_FILE")
"""Variables that name a Temporal server; each wins over the embedded stack of the data folder."""


class Settings(BaseSettings):
    """The settings of a worker, a page process or the command line."""

    model_config = SettingsConfigDict(env_prefix="MENTORSHIP_", env_file=ENV_FILE, extra="ignore")

    data: Path = Field(default=Path("data"), description="Folder of the embedded stack: database, Temporal, inbox.")
    config: str = Field(
        default="",
        description="Your own folder, outside the checkout, with `programs/`, `forms/`, `cohorts/`, `people/` and "
        "`templates/mail/`: what is in it comes before what ships. See [files.md](files.md).",
    )
    database_url: str = Field(
        default="", repr=False, description="SQLAlchemy or libpq URL; empty means SQLite in the data folder."
    )
    secret: SecretStr = Field(
        default=SecretStr(""),
        description="Signs the links in mails. At least 32 characters; several, separated by commas, "
        "rotate: the first signs, all are accepted.",
    )
    public_url: str = Field(default="http://127.0.0.1:8080", description="Address of the pages as people reach them.")
    smtp_host: str = Field(default="127.0.0.1", description="Mail relay.")
    smtp_port: int = Field(default=1025, description="Port of the relay.")
    smtp_security: Literal["none", "starttls", "tls"] = Field(
        default="starttls", description="`none` is accepted for loopback relays only."
    )
    smtp_ca_file: str = Field(
        default="",
        description="Certificates (a file) to trust at relay and mailbox beside those of the system, such as yours.",
    )
    smtp_user: str = Field(default="", description="User at the relay, where it asks for one.")
    smtp_password: SecretStr = Field(default=SecretStr(""), description="Password at the relay.")
    smtp_connections: int = Field(default=4, ge=1, le=64, description="Connections kept open to the relay.")
    smtp_timeout: float = Field(
        default=30, gt=0, description="Seconds for an answer of the relay; after the message itself, it is in doubt."
    )
    smtp_pipelining: bool = Field(
        default=True,
        description="Send the commands before a mail's body together where the relay offers PIPELINING; `false` for "
        "a relay that offers it and can't do it.",
    )
    smtp_utf8: bool = Field(
        default=False,
        description="The relay offers SMTPUTF8 (`mentorship doctor` looks), so that participants' addresses may have "
        "letters such as ü before the @.",
    )
    mail_from: str = Field(default="mentoring@localhost.localdomain", description="From address, aligned with DKIM.")
    mail_from_name: str = Field(default="", description="Display name of the sender; empty takes the cohort's title.")
    bounce_address: str = Field(
        default="", description="Envelope sender; a signed row id is added as +tag. Empty takes mail_from."
    )
    bounce_mailbox: str = Field(
        default="",
        repr=False,
        description="Where bounces are read: `imaps://user@host/INBOX`, or `imap+starttls://`; `imap://` for "
        "loopback only. `?done=Folder` moves what was taken in. An @ in the user is written %40.",
    )
    bounce_mailbox_password: SecretStr = Field(default=SecretStr(""), description="Password of that mailbox.")
    dkim_selector: str = Field(
        default="", description="Name of the DKIM key with which your relay signs; `mentorship doctor` looks it up."
    )
    redirect_all_to: str = Field(default="", description="Staging guard: every mail goes to this address instead.")
    mails_per_second: float = Field(default=0, ge=0, description="Upper limit of the postmaster; 0 means none.")
    shards: int = Field(default=1, ge=1, le=64, description="Postmasters that share the work, by person.")
    deployment: str = Field(default="mentorship", description="Name of the worker deployment, with a build id.")
    build_id: str = Field(default="", description="Version of this worker; empty means workers are not versioned.")
    task_queue: str = Field(default="mentorship", description="Temporal task queue.")
    check_workflows_seconds: float = Field(
        default=120, gt=0, description="Seconds between two checks of a worker for workflows that Temporal lacks."
    )
    web_host: str = Field(default="127.0.0.1", description="Address the pages listen on.")
    web_port: int = Field(default=8080, description="Port the pages listen on.")
    administrators: str = Field(
        default="",
        repr=False,
        description="Addresses, separated by commas, of those who look after the installation: they sign in to the "
        "coordinators' pages as administrators.",
    )
    oidc_issuer: str = Field(
        default="",
        description="Issuer of your OpenID Connect provider, such as https://login.example.org: coordinators sign in "
        "by it (extra `oidc`).",
    )
    oidc_client_id: str = Field(default="", description="Id of the pages at that provider.")
    oidc_client_secret: SecretStr = Field(default=SecretStr(""), description="Secret of the pages at that provider.")
    oidc_claim: str = Field(
        default="", description="Claim of the ID token whose values grant roles, such as `groups`; empty: none does."
    )
    oidc_roles: str = Field(
        default="",
        description="Roles for the whole installation by value of that claim, separated by commas: "
        "`mentoring-admins=administrator,board=reader`. Who coordinates is in the cohorts' files only.",
    )
    sign_in_header: str = Field(
        default="",
        description="Header in which a proxy of yours names the address of the person it has signed in; needs "
        "MENTORSHIP_TRUSTED_PROXIES.",
    )
    trusted_proxies: str = Field(
        default="",
        description="Networks, separated by commas, from which that header is believed, such as 10.0.0.0/24.",
    )
    hosts: str = Field(
        default="",
        description="Further names, separated by commas, under which pages and metrics may be asked: beside that of "
        "MENTORSHIP_PUBLIC_URL, addresses in numbers, and names without a dot.",
    )
    proxies: int = Field(
        default=0,
        ge=0,
        le=9,
        description="Proxies of yours before the pages that add to X-Forwarded-For; 0 trusts none.",
    )
    requests_per_minute: int = Field(
        default=600, ge=0, description="What one address may ask of one process of the pages; 0 means no limit."
    )
    requests_per_link: int = Field(
        default=120, ge=0, description="How often a minute one link may be asked for there; 0 means no limit."
    )
    metrics_host: str = Field(
        default="127.0.0.1", description="Address on which a worker or the pages can be watched."
    )
    metrics_port: int = Field(
        default=0, description="Port of /metrics, /healthz and /readyz of a worker or the pages; 0 means none."
    )
    temporal_port: int = Field(default=7233, description="Embedded stack: port of its Temporal server.")
    temporal_ui: str = Field(
        default="", description="Address of the Temporal UI, for a link on administrators' pages; empty: no link."
    )
    temporal_ui_port: int = Field(default=8233, description="Embedded stack: port of the Temporal UI.")
    inbox_port: int = Field(default=8025, description="Embedded stack: port of the inbox.")
    speed: float = Field(default=1.0, gt=0, description="Program seconds per real second; 1 except in a demo.")
    epoch: datetime = Field(
        default=datetime(2026, 1, 1, tzinfo=UTC), description="Where program time and real time agree."
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Variables win over the `.env` file, and that over secrets in files."""
        folder = Path(environment().get("MENTORSHIP_SECRETS_DIR") or SECRETS_DIR)
        if folder.is_dir():
            file_secret_settings = SecretsSettingsSource(settings_cls, secrets_dir=folder)
        return init_settings, env_settings, dotenv_settings, file_secret_settings

    @field_validator("config")
    @classmethod
    def _is_folder(cls, value: str) -> str:
        if value and not Path(value).is_dir():
            raise ValueError("there is no such folder")
        return value

    @field_validator("trusted_proxies")
    @classmethod
    def _are_networks(cls, value: str) -> str:
        for part in _parts(value):
            ip_network(part)  # raises ValueError with what is wrong
        return value

    @field_validator("oidc_roles")
    @classmethod
    def _are_roles(cls, value: str) -> str:
        for part in _parts(value):
            if part.partition("=")[2].strip() not in CLAIMED_ROLES:
                raise ValueError(f"{part!r} must be VALUE=ROLE with one of the roles {', '.join(CLAIMED_ROLES)}")
        return value

    @model_validator(mode="after")
    def _sign_in_fits(self) -> Self:
        if self.sign_in_header and not self.trusted_networks:
            raise ValueError(
                "MENTORSHIP_SIGN_IN_HEADER is believed from your proxies only: name their networks in "
                "MENTORSHIP_TRUSTED_PROXIES"
            )
        if self.oidc_issuer and not self.oidc_client_id:
            raise ValueError("MENTORSHIP_OIDC_ISSUER needs MENTORSHIP_OIDC_CLIENT_ID as well")
        return self

    @property
    def own_config(self) -> Path | None:
        """The coordinators' own folder; None where there is none."""
        return Path(self.config).absolute() if self.config else None

    @property
    def clock(self) -> Clock:
        """The clock of this installation."""
        return Clock(epoch=self.epoch, speed=self.speed)

    @property
    def secrets(self) -> tuple[str, ...]:
        """The signing secrets, newest first."""
        return tuple(part.strip() for part in self.secret.get_secret_value().split(",") if part.strip())

    @property
    def other_hosts(self) -> tuple[str, ...]:
        """The names of `hosts`."""
        return _parts(self.hosts)

    @property
    def administrator_addresses(self) -> tuple[str, ...]:
        """The addresses of `administrators`."""
        return _parts(self.administrators)

    @property
    def trusted_networks(self) -> tuple[str, ...]:
        """The networks of `trusted_proxies`."""
        return _parts(self.trusted_proxies)

    @property
    def oidc_role_map(self) -> tuple[tuple[str, str], ...]:
        """(value of the claim, role) of `oidc_roles`."""
        pairs = (part.partition("=") for part in _parts(self.oidc_roles))
        return tuple((value.strip(), role.strip()) for value, _, role in pairs)

    @property
    def database(self) -> str:
        """The database URL with the async driver named."""
        url = self.database_url or f"sqlite+aiosqlite:///{(self.data / 'mentorship.db').absolute()}"
        for plain in ("postgresql://", "postgres://"):
            if url.startswith(plain):
                return "postgresql+psycopg://" + url.removeprefix(plain)
        return url


def _parts(written: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in written.split(",") if part.strip())


def load_settings() -> Settings:
    """The settings of this process; beside an embedded stack, as that runs: its relay, pages, clock, secret.

    Raises ValidationError, and BrokenRecord where the stack's record can't be read.
    """
    settings = Settings()
    record = stack_of(settings)
    return as_it_runs(settings, record) if record else settings


def stack_of(settings: Settings) -> StackRecord | None:
    """The embedded stack of the data folder, running or not; None where there is none, or another Temporal is named.

    Raises BrokenRecord.
    """
    record = running_stack.read(settings.data)
    if record and temporal_is_named() and environment().get("TEMPORAL_ADDRESS") != record.temporal:
        return None
    return record


def temporal_is_named() -> bool:
    """Whether the environment, or `.env`, names a Temporal server."""
    variables = environment()
    return any(variables.get(name) for name in NAME_TEMPORAL)


def as_it_runs(settings: Settings, record: StackRecord) -> Settings:
    """The settings by which an embedded stack works, whatever this process was told of relay and clock."""
    secret = settings.secret.get_secret_value()
    kept = settings.data / KEPT_SECRET
    if not secret and kept.is_file():
        secret = kept.read_text("utf-8").strip()
    return settings.model_copy(
        update={
            "smtp_host": "127.0.0.1",
            "smtp_port": record.smtp_port,
            "smtp_security": "none",
            "smtp_user": "",
            "public_url": record.pages,
            "secret": SecretStr(secret),
            "task_queue": record.task_queue,
            "shards": record.shards,
            "speed": record.speed,
            "epoch": record.epoch_at,
        }
    )


def now_of(settings: Settings) -> datetime:
    """Program time of this installation, UTC. The only place where the command line reads the clock."""
    return settings.clock.program(datetime.now(UTC))
