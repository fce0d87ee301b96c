"""How Jinja renders pages, and the code that it makes of templates, kept for the process.

Each cohort with mails of its own has an environment for them and for all shipped templates beside them; compiling a
template takes ten times as long as rendering it.
"""

from __future__ import annotations

from pathlib import Path
from types import CodeType

from jinja2 import BytecodeCache, Environment, FileSystemLoader, StrictUndefined
from jinja2.bccache import Bucket

AT_MOST = 2_000
"""Templates whose code is kept; all are forgotten where there are more."""


class CompiledTemplates(BytecodeCache):
    """For environments that have the same options: code is found by the template's name, file and content."""

    def __init__(self) -> None:
        self._codes: dict[tuple[str, str], CodeType] = {}

    def __len__(self) -> int:
        """How many are kept."""
        return len(self._codes)

    def load_bytecode(self, bucket: Bucket) -> None:
        """Give the bucket its code, where it is known."""
        bucket.code = self._codes.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep the code of the bucket."""
        if len(self._codes) >= AT_MOST:
            self._codes.clear()
        if bucket.code is not None:
            self._codes[bucket.key, bucket.checksum] = bucket.code


_PAGES = CompiledTemplates()


def page_environment(*folders: Path) -> Environment:
    """For HTML pages from the templates of these folders, the first that has a file first: everything is escaped, and
    a value that is missing fails rather than showing nothing.

    Where two of them share a template, a filter that it gives a constant must mean the same in both: what it answers
    is part of the code that is kept.
    """
    return Environment(
        loader=FileSystemLoader(folders),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        bytecode_cache=_PAGES,
    )
