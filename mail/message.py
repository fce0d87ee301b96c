"""The message as it goes over the wire: ASCII only but for an address that is not, CRLF line ends, the same bytes for
the same letter.

The finished header block is read again and compared, name by name and count by count, with what was meant: a
header that somebody smuggled in through a name fails here and is never sent.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass

from mail.headers import BadHeader

CRLF = "\r\n"
_NAME = re.compile("([!-9;-~]+): ")
_OTHER_LINE_END = re.compile("[\n\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029\x00]")
"""Everything that some program takes for the end of a line, and NUL."""


@dataclass(frozen=True, slots=True)
class MimePart:
    """A leaf or a branch of the MIME tree: either `content` or `parts`."""

    type: str
    """Content-Type with its parameters, without charset and boundary."""
    content: str = ""
    parts: tuple[MimePart, ...] = ()
    filename: str = ""
    """Set for an attachment."""


def _leaf(part: MimePart) -> str:
    head = [f"Content-Type: {part.type}; charset=utf-8"]
    content = part.content.encode()
    if part.filename:
        head.append(f'Content-Disposition: attachment; filename="{part.filename}"')
    if part.type.startswith("text/calendar") or part.filename:
        # Quoted-printable would have to be read back as CRLF lines; some calendars don't.
        head.append("Content-Transfer-Encoding: base64")
        body = base64.encodebytes(content).decode("ascii")
    else:
        head.append("Content-Transfer-Encoding: quoted-printable")
        body = binascii.b2a_qp(content, istext=True).decode("ascii")
    return CRLF.join([*head, "", *body.split("\n")])


def _written(part: MimePart, seed: str, path: str = "0") -> str:
    if not part.parts:
        return _leaf(part)
    # Derived from the Message-ID, so that a message composed twice is the same, byte for byte. The underscore
    # after = can't occur in quoted-printable, so no content holds it (RFC 2045 6.7).
    boundary = f"=_{hashlib.sha256(f'{seed}/{path}'.encode()).hexdigest()[:32]}"
    lines = [f'Content-Type: {part.type}; boundary="{boundary}"', ""]
    for count, child in enumerate(part.parts):
        lines += [f"--{boundary}", _written(child, seed, f"{path}.{count}")]
    return CRLF.join([*lines, f"--{boundary}--", ""])


def written(headers: Sequence[tuple[str, str]], body: MimePart, seed: str, *, utf8: bool = False) -> str:
    """The complete message. With `utf8` the address in To may have letters beyond ASCII (RFC 6532). Raises BadHeader
    when reading it again finds other headers than were meant."""
    block = "".join(f"{name}: {value}{CRLF}" for name, value in headers)
    lines = block.split(CRLF)
    if not all(value.isascii() or (utf8 and name == "To") for name, value in headers) or any(
        len(part) > 998 for part in lines
    ):
        raise BadHeader("a header is not ASCII or has a line of more than 998 characters (RFC 5322 2.1.1)")
    if _names(lines) != [name for name, _ in headers]:
        raise BadHeader("reading the message again finds other headers than were written")
    return block + _written(body, seed) + CRLF


def _names(lines: Sequence[str]) -> list[str] | None:
    """The names of the headers in these lines, the last of which is what follows the last line end; None where the
    block ends before, a line is neither a header nor goes on with one, or a program could see another line end."""
    *block, rest = lines
    if rest or any(not line.strip() or _OTHER_LINE_END.search(line) for line in block):
        return None
    begun = [_NAME.match(line) for line in block if line[0] not in " \t"]
    return [name[1] for name in begun if name] if all(begun) else None
