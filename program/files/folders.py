"""Where files of a kind are looked for: beside the file that names them, in a folder of the coordinators' own, and
among those that ship with the engine.

The own folder (`MENTORSHIP_CONFIG`) lies outside the checkout, so an upgrade of the engine never conflicts with it.
It holds `programs/`, `forms/`, `cohorts/`, `people/` and `templates/mail/`, each only as far as it differs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

SHIPPED = Path(__file__).resolve().parents[2] / "config"
"""The config that comes with the engine."""

TEMPLATES = Path("templates", "mail")
"""The mail templates, below a folder."""


def search_order(beside: Path, own: Path | None) -> tuple[Path, ...]:
    """The folders in which programs and forms are looked for, first to last.

    `beside` is the folder around the file that names them. A file of the shipped folder is no reason to prefer what
    ships: there the own folder comes first.
    """
    found = [beside, *([own] if own else []), SHIPPED]
    if beside.resolve() == SHIPPED:
        del found[0]
    return tuple(_without_doubles(found))


def template_folders(beside: Path | None, own: Path | None) -> tuple[Path, ...]:
    """The folders of mail templates, first to last; the shipped one is always the last.

    With an own folder, it is the one whose templates are sent. Without, a cohort file may have templates beside it.
    """
    around = [own] if own else [beside, beside.parent] if beside else []
    found = [folder / TEMPLATES for folder in around if (folder / TEMPLATES).is_dir()]
    return tuple(_without_doubles([*found[:1], SHIPPED.parent / TEMPLATES]))


def file_of(kind: str, written: Path, own: Path | None) -> Path:
    """The file that a command names, of a kind such as `cohorts`.

    An absolute path, and one that begins with `.`, is taken as it is. Anything else is looked for in the own folder,
    then from the working directory, then among what ships: as a path from there, without its `config/`, and as a name
    with or without `.yaml`. Where nothing is found the path comes back as it was written.
    """
    if written.is_absolute() or str(written).startswith("."):
        return written
    inner = Path(*written.parts[1:]) if len(written.parts) > 1 and written.parts[0] == "config" else written
    named = inner if inner.suffix else inner.with_name(f"{inner.name}.yaml")
    in_folders = [folder / path for folder in ([own] if own else []) for path in (inner, Path(kind, named))]
    for path in (*in_folders, written, SHIPPED / kind / named):
        if path.is_file():
            return path
    return written


def _without_doubles(folders: Iterable[Path]) -> Iterator[Path]:
    seen: set[Path] = set()
    for folder in folders:
        if folder.resolve() not in seen:
            seen.add(folder.resolve())
            yield folder
