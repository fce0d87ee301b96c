"""Signed links: the only thing that lets a participant in, so a page needs neither login nor cookie.

A token is `<id>.<generation>` with an HMAC (itsdangerous); it is rebuilt, never stored, and raising the generation
revokes it. A token says nothing beyond the id, and is never written to a log.
"""

from __future__ import annotations

from urllib.parse import quote, urlencode

from itsdangerous import BadData, BadSignature, Signer
from itsdangerous.encoding import base64_decode, base64_encode

from runtime.errors import Unreachable
from runtime.settings import Settings
from store.people.address_changes import SIDES, Side

SHORTEST_SECRET = 32


class _Signer(Signer):
    """Derives each of its keys once: a request of a page verifies its token twice, and signs one."""

    derived: dict[bytes | None, bytes]

    def derive_key(self, secret_key: str | bytes | None = None) -> bytes:
        """The key of a secret; of the newest one where none is given."""
        known = self.__dict__.setdefault("derived", {})
        if secret_key not in known:
            known[secret_key] = super().derive_key(secret_key)
        return known[secret_key]


class Links:
    """Makes and reads the links of one installation.

    `secrets` are newest first: the first signs, all are accepted. Raises ValueError where there is none, or one is
    shorter than 32 characters.
    """

    def __init__(self, secrets: tuple[str, ...], public_url: str) -> None:
        if not secrets or min(map(len, secrets)) < SHORTEST_SECRET:
            raise ValueError(
                f"MENTORSHIP_SECRET must be at least {SHORTEST_SECRET} characters long; "
                "make one with: python -c 'import secrets; print(secrets.token_urlsafe(32))'"
            )
        oldest_first = list(reversed(secrets))
        # One salt for each purpose: a token for stopping reminders never opens a form.
        self._request = _Signer(oldest_first, salt=b"mentorship.request", key_derivation="hmac")
        self._stop = _Signer(oldest_first, salt=b"mentorship.stop", key_derivation="hmac")
        self._place = _Signer(oldest_first, salt=b"mentorship.place", key_derivation="hmac")
        self._application = _Signer(oldest_first, salt=b"mentorship.application", key_derivation="hmac")
        self._opened = _Signer(oldest_first, salt=b"mentorship.opened", key_derivation="hmac")
        self._address: dict[Side, Signer] = {
            side: _Signer(oldest_first, salt=f"mentorship.address.{side}".encode(), key_derivation="hmac")
            for side in SIDES
        }
        self.public_url = public_url.rstrip("/")

    @classmethod
    def of(cls, settings: Settings) -> Links:
        """The links of an installation with these settings."""
        return cls(settings.secrets, settings.public_url)

    def request_token(self, public_id: str, generation: int) -> str:
        """The token of a request: about 45 characters, the same on every call."""
        return _sign(self._request, public_id, generation)

    def request_url(self, public_id: str, generation: int, **preselect: str) -> str:
        """The page of a request; `preselect` (question id to value) is shown as chosen, and is not stored."""
        query = f"?{urlencode(preselect)}" if preselect else ""
        return f"{self.public_url}/f/{self.request_token(public_id, generation)}{query}"

    def read_request(self, token: str) -> tuple[str, int] | None:
        """(public id, generation) of a request's token; None if it is not ours."""
        return _read(self._request, token)

    def stop_token(self, person: str, generation: int) -> str:
        """The token that stops a person's reminders; reveals the participant's id and nothing more."""
        return _sign(self._stop, person, generation)

    def stop_url(self, person: str, generation: int) -> str:
        """The page (GET) and one-click address (POST, RFC 8058) that stop a person's reminders."""
        return f"{self.public_url}/stop/{self.stop_token(person, generation)}"

    def read_stop(self, token: str) -> tuple[str, int] | None:
        """(participant id, generation) of a stop token; None if it is not ours."""
        return _read(self._stop, token)

    def place_token(self, person: str, generation: int) -> str:
        """The token of a person's own page; reveals the participant's id and nothing more."""
        return _sign(self._place, person, generation)

    def place_url(self, person: str, generation: int) -> str:
        """The address of a person's own page."""
        return f"{self.public_url}/me/{self.place_token(person, generation)}"

    def read_place(self, token: str) -> tuple[str, int] | None:
        """(participant id, generation) of the token of a person's own page; None if it is not ours."""
        return _read(self._place, token)

    def address_token(self, change: str, side: Side) -> str:
        """The token with which one of two addresses confirms a change; valid for that change and that side only."""
        return self._address[side].sign(change).decode("ascii")

    def address_url(self, change: str, side: Side) -> str:
        """The page on which the old or the new address confirms or refuses a change."""
        return f"{self.public_url}/address/{self.address_token(change, side)}"

    def read_address(self, token: str) -> tuple[str, Side] | None:
        """(id of the change, side) of an address's token; None if it is not ours."""
        for side, signer in self._address.items():
            try:
                return _unsigned(signer, token), side
            except (BadData, ValueError):
                continue
        return None

    def task_url(self, task: str) -> str:
        """The page of a task for its coordinators, who have to sign in. `task` is its public id, or on pages its
        key."""
        return f"{self.public_url}/c/tasks/{quote(task)}"

    def application_token(self, application: str, generation: int) -> str:
        """The token of an application: to confirm, change or withdraw it."""
        return _sign(self._application, application, generation)

    def application_url(self, application: str, generation: int, page: str = "") -> str:
        """The own page of an application; `page` is one below it, such as `wishes`."""
        below = f"/{page}" if page else ""
        return f"{self.public_url}/application/{self.application_token(application, generation)}{below}"

    def read_application(self, token: str) -> tuple[str, int] | None:
        """(application id, generation of its person's links) of a token; None if it is not ours."""
        return _read(self._application, token)

    def opened_token(self, cohort: str, at: int) -> str:
        """Says when the page of a call was served: whole seconds since 1970, real time."""
        return _sign(self._opened, cohort, at)

    def read_opened(self, token: str) -> tuple[str, int] | None:
        """(cohort, seconds since 1970) of such a token; None if it is not ours."""
        return _read(self._opened, token)

    def meaning(self, kind: str, token: str) -> str:
        """What a link of ours opens, as one word: the same for every token that opens it. `kind` is the first part of
        its path; empty where it isn't one of ours."""
        match kind:
            case "f":
                link = self.read_request(token)
            case "stop":
                link = self.read_stop(token)
            case "me":
                link = self.read_place(token)
            case "address":
                link = self.read_address(token)
            case "application":
                link = self.read_application(token)
            case _:
                link = None
        return f"{kind}/{link[0]}" if link else ""


def check_secret(settings: Settings) -> None:
    """Make sure that links can be signed. Raises Unreachable with how to make a secret."""
    try:
        Links.of(settings)
    except ValueError as missing:
        raise Unreachable(str(missing)) from None


def _sign(signer: Signer, what: str, generation: int) -> str:
    return signer.sign(f"{what}.{generation}").decode("ascii")


def _read(signer: Signer, token: str) -> tuple[str, int] | None:
    try:
        what, _, generation = _unsigned(signer, token).rpartition(".")
        return (what, int(generation)) if what else None
    except (BadData, ValueError):
        return None


def _unsigned(signer: Signer, token: str) -> str:
    """What a token signs. Raises BadData.

    Only the one spelling that we make is taken: base64 as such reads `=`, foreign characters and other last letters
    as the same signature, and each spelling would be a link of its own for whatever counts links.
    """
    signature = token.rpartition(".")[2]
    if not token.isascii() or base64_encode(base64_decode(signature)).decode("ascii") != signature:
        raise BadSignature("this is not how the signature is spelled")
    return signer.unsign(token).decode("utf-8")
