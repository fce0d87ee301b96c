"""Programs, frozen with their forms at launch, so that a running mentorship keeps what it was promised.

Must not overwrite a version.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from program.content import content_of
from program.forms import Form
from program.models import Program
from store.database import upserting
from store.tables import ProgramRow


class UnknownProgram(LookupError):
    """No program of this id and hash was frozen."""


@dataclass(frozen=True, slots=True)
class FrozenProgram:
    """A program as it was at launch, with its forms. `hash` is that of the content."""

    program: Program
    hash: str
    forms: Mapping[str, Form]

    def form_for(self, ask: str) -> Form:
        """The form of this ask. Raises KeyError where the program has none."""
        return self.forms[self.program.form_for(ask)]


async def freeze_program(
    session: AsyncSession, program: Program, forms: Mapping[str, Form], now: datetime
) -> FrozenProgram:
    """Store this version of a program with its forms permanently. The same content twice is one version."""
    content = content_of(program, forms)
    row = upserting(session, ProgramRow).values(
        program=program.program, hash=content.hash, body=content.program, forms=content.forms, frozen_at=now
    )
    await session.execute(row.on_conflict_do_nothing(index_elements=("program", "hash")))
    return FrozenProgram(program, content.hash, dict(forms))


async def frozen_program(session: AsyncSession, program: str, digest: str) -> FrozenProgram:
    """The frozen program of this id and hash, parsed once a process. Raises `UnknownProgram`."""
    frozen = _parsed.get((program, digest))
    if frozen is None:
        row = await session.get(ProgramRow, (program, digest))
        if row is None:
            raise UnknownProgram(f"no program {program!r} with the hash {digest!r} was frozen")
        forms = {name: Form.model_validate(form) for name, form in row.forms.items()}
        frozen = FrozenProgram(Program.model_validate(row.body), digest, forms)
        _parsed[(program, digest)] = frozen
    return frozen


async def asked_with(session: AsyncSession, now: FrozenProgram, version: str) -> FrozenProgram:
    """A program as it was when something was asked: in the `version` that a request names, or as it is `now`."""
    return await frozen_program(session, now.program.program, version) if version else now


_parsed: dict[tuple[str, str], FrozenProgram] = {}
"""By content hash, so an entry can't become wrong; as many as there are program versions in use."""
