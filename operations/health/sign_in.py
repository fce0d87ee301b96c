"""Examines how coordinators sign in, as far as the settings say it. Asks nobody, and shows no secret."""

from __future__ import annotations

from importlib.util import find_spec

from operations.health.findings import Finding
from runtime.settings import Settings


def examine_sign_in(settings: Settings) -> list[Finding]:
    """The sign-in of an organisation; nothing where there is only the mailed link, which needs no setting."""
    found: list[Finding] = []
    if settings.oidc_issuer:
        what = "sign-in by OpenID Connect"
        if find_spec("authlib") is None:
            remedy = "Install the extra `oidc`: pip install -e '.[oidc]'"
            found.append(Finding(what, "fault", "the extra that it needs is not installed", remedy))
        elif not settings.oidc_client_secret.get_secret_value():
            remedy = (
                "Write it to the file mentorship_oidc_client_secret, unless your provider takes clients without one."
            )
            found.append(Finding(what, "warning", "there is no secret of the client", remedy))
        else:
            found.append(Finding(what, "good", f"asks {settings.oidc_issuer}"))
    if settings.sign_in_header:
        says = f"believes {settings.sign_in_header} from {', '.join(settings.trusted_networks)}"
        remedy = "Make sure that your proxy removes this header from what comes in from outside."
        found.append(Finding("sign-in by a proxy", "good", says, remedy))
    return found
