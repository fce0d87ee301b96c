"""Signing in by OpenID Connect (the extra `oidc`): the provider of the organisation says who somebody is.

Authorization code flow with PKCE, state and nonce (OpenID Connect Core 1.0, RFC 7636), metadata by discovery. Nobody
is let in for being known to the provider: the verified address must have an account, or a claim must map to a role
that the settings name. No token is stored or logged.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, cast
from urllib.parse import urlencode

import httpx
import structlog
from itsdangerous import BadData, URLSafeTimedSerializer
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from operations.accounts.accounts import Account, Role
from runtime.settings import Settings
from web.coordinator.signing_in.browsers import browser_of
from web.coordinator.signing_in.cookies import OPENID, cookie_of, set_cookie
from web.coordinator.signing_in.sign_in import safe, signed_in
from web.coordinator.visit import Visit

log = structlog.get_logger(__name__)

LASTS = 600
"""Real seconds that somebody has to sign in at the provider."""
ANSWERS_WITHIN = 10.0
"""Real seconds for an answer of the provider."""
LEEWAY = 60
"""Real seconds by which its clock may differ from ours."""
ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA"]
"""Signatures with a public key; `none` and those with a shared secret are refused."""


class NotVouched(Exception):
    """The provider does not vouch for somebody, or its answer can't be trusted. The text is for the log only."""


async def begin(request: Request, visit: Visit) -> Response:
    """GET: on to the provider. A link and no form, for the policy of these pages lets no form lead elsewhere."""
    settings = visit.settings
    if not settings.oidc_issuer:
        return visit.message("no_openid", 404)
    from authlib.oauth2.rfc7636 import create_s256_code_challenge

    try:
        metadata = await _metadata(settings)
    except (NotVouched, httpx.HTTPError) as failure:
        return _failed(visit, failure)
    kept = {
        "state": secrets.token_urlsafe(24),
        "nonce": secrets.token_urlsafe(24),
        "verifier": secrets.token_urlsafe(48),
        "next": safe(request.query_params.get("next", "")),
    }
    query = {
        "response_type": "code",
        "client_id": settings.oidc_client_id,
        "redirect_uri": _back(settings),
        "scope": "openid email profile",
        "state": kept["state"],
        "nonce": kept["nonce"],
        "code_challenge": create_s256_code_challenge(kept["verifier"]),
        "code_challenge_method": "S256",
    }
    if visit.signed_in is not None:
        query["prompt"] = "login"  # a fresh sign-in was asked for
    response = RedirectResponse(f"{metadata['authorization_endpoint']}?{urlencode(query)}", 303)
    set_cookie(response, settings, OPENID, _sealed(settings).dumps(kept), LASTS)
    return response


async def back(request: Request, visit: Visit) -> Response:
    """GET: back from the provider, with a code that is good once."""
    settings = visit.settings
    if not settings.oidc_issuer:
        return visit.message("no_openid", 404)
    try:
        kept: dict[str, str] = _sealed(settings).loads(cookie_of(request, settings, OPENID), max_age=LASTS)
        if not secrets.compare_digest(
            kept["state"].encode(), request.query_params.get("state", "").encode("utf-8", "replace")
        ):
            raise NotVouched("another state")
        claims = await _claims(settings, kept, request.query_params.get("code", ""))
        account, mark, granted = await _account(visit, claims)
    except (BadData, KeyError, NotVouched, httpx.HTTPError, ValueError) as failure:
        return _failed(visit, failure)
    now = visit.site.real_now()
    at = claims.get("auth_time")
    proved_at = min(now, datetime.fromtimestamp(at, UTC)) if isinstance(at, int) else now
    begun = await visit.site.sign_in.vouched(
        account, mark, "openid", now, browser_of(request), granted, proved_at=proved_at
    )
    response = await signed_in(request, visit, begun, kept["next"])
    set_cookie(response, settings, OPENID, "", 0)
    return response


async def _account(visit: Visit, claims: Mapping[str, Any]) -> tuple[Account, str, tuple[Role, ...]]:
    """Who that is. Raises NotVouched where nobody of ours: nobody is let in by default."""
    settings, email = visit.settings, claims.get("email")
    if not isinstance(email, str) or claims.get("email_verified") is not True:
        raise NotVouched("no verified address")
    rules = visit.site.sign_in.rules
    claimed = claims.get(settings.oidc_claim, ()) if settings.oidc_claim else ()
    values = {claimed} if isinstance(claimed, str) else {str(value) for value in claimed}
    granted = cast(
        "tuple[Role, ...]", tuple(sorted({role for value, role in settings.oidc_role_map if value in values}))
    )
    async with visit.database.session() as session:
        account = await rules.by_address(session, email)
    if account is None:
        if not granted:
            raise NotVouched("nobody of ours")
        subject = sha256(f"{settings.oidc_issuer}\n{claims['sub']}".encode()).hexdigest()
        account = Account(f"oidc-{subject[:12]}", email)
    return replace(account, everywhere=account.everywhere | set(granted)), rules.mark(email), granted


async def _claims(settings: Settings, kept: Mapping[str, str], code: str) -> dict[str, Any]:
    """What the provider says of somebody, with its signature checked. Raises NotVouched and HTTPError."""
    from joserfc import jwt
    from joserfc.errors import JoseError
    from joserfc.jwk import KeySet

    if not code:
        raise NotVouched("refused at the provider")
    metadata = await _metadata(settings)
    async with httpx.AsyncClient(timeout=ANSWERS_WITHIN) as client:
        answer = await client.post(
            metadata["token_endpoint"],
            data={
                "grant_type": "authorization_code",
                "code": code,
                "redirect_uri": _back(settings),
                "code_verifier": kept["verifier"],
            },
            auth=httpx.BasicAuth(settings.oidc_client_id, settings.oidc_client_secret.get_secret_value()),
        )
        if answer.status_code != 200:
            raise NotVouched("the code was not taken")
        tokens = answer.json()
        keys = (await client.get(metadata["jwks_uri"])).raise_for_status().json()
        try:
            token = jwt.decode(tokens["id_token"], KeySet.import_key_set(keys), algorithms=ALGORITHMS)
            jwt.JWTClaimsRegistry(
                leeway=LEEWAY,
                iss={"essential": True, "value": metadata["issuer"]},
                aud={"essential": True, "value": settings.oidc_client_id},
                exp={"essential": True},
                sub={"essential": True},
                nonce={"essential": True, "value": kept["nonce"]},
            ).validate(token.claims)
        except JoseError as failure:
            raise NotVouched(type(failure).__name__) from None
        claims = dict(token.claims)
        if "email" not in claims and "userinfo_endpoint" in metadata:
            headers = {"authorization": f"Bearer {tokens['access_token']}"}
            told = (await client.get(metadata["userinfo_endpoint"], headers=headers)).raise_for_status().json()
            if told.get("sub") != claims["sub"]:
                raise NotVouched("told of somebody else")
            claims = told | claims
    if claims.get("azp", settings.oidc_client_id) != settings.oidc_client_id:
        raise NotVouched("given to another client")
    return claims


async def _metadata(settings: Settings) -> dict[str, Any]:
    """The provider's endpoints (OpenID Connect Discovery 1.0). Raises NotVouched and HTTPError."""
    issuer = settings.oidc_issuer.rstrip("/")
    async with httpx.AsyncClient(timeout=ANSWERS_WITHIN) as client:
        told = (await client.get(f"{issuer}/.well-known/openid-configuration")).raise_for_status().json()
    if str(told.get("issuer", "")).rstrip("/") != issuer:
        raise NotVouched("another issuer")
    return told


def _failed(visit: Visit, failure: Exception) -> Response:
    # Of a failure of ours the words are known and hold no data; of others only the kind.
    why = str(failure) if isinstance(failure, NotVouched) else type(failure).__name__
    log.warning("openid_sign_in_failed", failure=why)
    return visit.message("openid_failed", 403)


def _back(settings: Settings) -> str:
    return f"{settings.public_url.rstrip('/')}/c/sign-in/openid/back"


def _sealed(settings: Settings) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(list(reversed(settings.secrets)), salt="mentorship.openid")
