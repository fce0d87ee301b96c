"""The envelope sender that says which mail bounced: `bounces+<message>.<signature>@…`.

The signature keeps strangers from reporting bounces that never happened. Lower case letters and digits only, as
some mail servers change the case; the local part is at most 64 octets (RFC 5321 4.5.3.1.1).
"""

from __future__ import annotations

import base64
import hashlib
import hmac

LONGEST_LOCAL_PART = 64
_SIGNATURE_BYTES = 10


def envelope_sender(bounce_address: str, message: str, secret: str) -> str:
    """The envelope sender of a message. Raises ValueError where the local part would be too long."""
    local, _, domain = bounce_address.rpartition("@")
    tagged = f"{local}+{message}.{_signature(message, secret)}"
    if len(tagged) > LONGEST_LOCAL_PART:
        raise ValueError(
            f"MENTORSHIP_BOUNCE_ADDRESS is too long before the @: with the tag it has {len(tagged)} characters "
            f"of {LONGEST_LOCAL_PART}; use a shorter one"
        )
    return f"{tagged}@{domain}"


def message_of(envelope: str, secrets: tuple[str, ...]) -> str | None:
    """The id of the message that this envelope sender stands for; None where it isn't one of ours."""
    tag = envelope.rpartition("@")[0].rpartition("+")[2].lower()
    message, _, signature = tag.rpartition(".")
    for secret in secrets:
        if message and hmac.compare_digest(
            _signature(message, secret).encode(), signature.encode("utf-8", "replace")
        ):
            return message
    return None


def _signature(message: str, secret: str) -> str:
    digest = hmac.digest(b"mentorship.bounce:" + secret.encode(), message.encode("utf-8", "replace"), hashlib.sha256)
    return base64.b32encode(digest[:_SIGNATURE_BYTES]).decode().lower()
