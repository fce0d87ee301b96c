"""Files as plain data with the place of every node, so that any later fault can say line and column.

YAML is composed by ruamel.yaml's round-trip reader (YAML 1.2: `NO` stays text, duplicate keys are seen) and turned
into data here, because a constructed document no longer knows the place of every value. Reading never raises
anything but `Faults`, whatever the file holds.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from program.faults import Fault, Faults, Place, fault, quoted
from program.limits import YAML_BYTES, YAML_NODES

Trail = tuple[str | int, ...]
"""The way to a node: keys of mappings and indexes of lists, from the top of the document."""

_OTHER_FORMATS = (
    (b"PK\x03\x04", "a spreadsheet or another packed file (.xlsx, .ods)"),
    (b"\xd0\xcf\x11\xe0", "an Excel workbook of the old format (.xls)"),
    (b"%PDF", "a PDF"),
    (b"\xff\xfe", "text in UTF-16"),
    (b"\xfe\xff", "text in UTF-16"),
)
"""How files begin that are often given in place of a text in UTF-8."""


@dataclass(slots=True)
class Source:
    """A document as data, and where each of its nodes stands."""

    file: str
    data: dict[str, Any] = field(default_factory=dict[str, Any])
    places: dict[Trail, Place] = field(default_factory=dict[Trail, Place])
    """Where the value of a trail begins."""
    keys: dict[Trail, Place] = field(default_factory=dict[Trail, Place])
    """Where the key of a trail begins."""
    incomplete: set[str] = field(default_factory=set[str])
    """Lists of the top of which a part could not be read: nothing can be said of what they lack."""

    def place(self, *trail: str | int) -> Place:
        """Where a value stands, or the nearest thing around it that does."""
        for end in range(len(trail), -1, -1):
            found = self.places.get(trail[:end])
            if found is not None:
                return found
        return Place(self.file)

    def key_place(self, *trail: str | int) -> Place:
        """Where a key stands; of something that has no key, where it stands itself."""
        return self.keys.get(trail) or self.place(*trail)

    def at(self, *trail: str | int) -> object:
        """The value at a trail; None where there is none."""
        found: Any = self.data
        for step in trail:
            if isinstance(found, dict):
                found = cast("dict[str | int, Any]", found).get(step)
            elif isinstance(found, list) and isinstance(step, int):
                items = cast("list[Any]", found)
                found = items[step] if step < len(items) else None
            else:
                return None
        return cast(object, found)

    def text(self, *trail: str | int) -> str | None:
        """The text at a trail; None where there is none or something else."""
        found = self.at(*trail)
        return found if isinstance(found, str) and found else None

    def size(self, *trail: str | int) -> int:
        """The length of the list at a trail; 0 where there is none or something else."""
        found = self.at(*trail)
        return len(cast("list[Any]", found)) if isinstance(found, list) else 0

    def date(self, *trail: str | int) -> date | None:
        """The ISO date at a trail; None where there is none or something else."""
        text = self.text(*trail)
        try:
            return date.fromisoformat(text) if text else None
        except ValueError:
            return None


def read_bytes(path: Path, at_most: int) -> bytes:
    """What a file holds, of at most so many bytes, which is asked before anything is read. Raises Faults."""
    file = str(path)
    try:
        size = path.stat().st_size
        if size > at_most:
            raise Faults([too_large(file, size, at_most)])
        with path.open("rb") as opened:
            raw = opened.read(at_most + 1)  # a pipe or a device has no size before it is read
        if len(raw) > at_most:
            raise Faults([too_large(file, len(raw), at_most)])
    except IsADirectoryError:
        raise Faults([Fault(file, 1, 1, "this is a folder", "Write the name of a file in it.")]) from None
    except (OSError, ValueError) as error:
        reason = "there is no such file" if isinstance(error, FileNotFoundError) else "the file can't be read"
        raise Faults([Fault(file, 1, 1, reason, "Check the name, and that you may read it.")]) from None
    return raw


def read_text(path: Path, at_most: int = YAML_BYTES) -> str:
    """The text of a UTF-8 file, with or without byte order mark; of at most so many bytes. Raises Faults."""
    file = str(path)
    raw = read_bytes(path, at_most)
    for begin, what in _OTHER_FORMATS:
        if raw.startswith(begin):
            raise Faults([Fault(file, 1, 1, f"this is {what}, not a text file", _AS_TEXT)])
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = raw[: error.start]
        line = before.count(b"\n") + 1
        column = error.start - (before.rfind(b"\n") + 1) + 1
        raise Faults([Fault(file, line, column, "the file is not UTF-8", _AS_TEXT)]) from None


_AS_TEXT = "Save it as UTF-8 (in Excel: CSV UTF-8)."


def too_large(file: str, size: int, at_most: int) -> Fault:
    """That a file is larger than what is read. Sizes are given in kilobytes of 1,000 bytes."""
    return Fault(
        file,
        1,
        1,
        f"the file has {-(-size // 1000):,} KB, and at most {at_most // 1000:,} KB are read",
        "Is it the right file? Put people and pairs into CSV files, or divide the cohort."
        if at_most == YAML_BYTES
        else "Is it the right file? Leave out columns that nobody needs, or divide the cohort.",
    )


def read_yaml(path: Path) -> Source:
    """A YAML file whose top is a mapping. Raises Faults, with every duplicate key of the file at once."""
    source = Source(str(path))
    text = read_text(path)
    if not text.strip():
        raise Faults([Fault(source.file, 1, 1, "the file holds no keys: it is empty", _COMPARE)])
    top = _composed(text, source.file)
    if top is None or top.id != "mapping":
        raise Faults([Fault(source.file, 1, 1, "the file holds no keys", _COMPARE)])
    faults: list[Fault] = []
    building = _Building(source, faults)
    try:
        source.data = cast("dict[str, Any]", building.value(top, ()))
    except RecursionError:
        faults.append(_too_deep(source.file))
    if faults:
        raise Faults(faults)
    return source


_COMPARE = "Compare it with one of config/ and fill it in."


_KEPT = 50_000
"""Characters of a text whose nodes are kept: the same forms are read again and again, and composing takes longest."""


def _nodes(text: str) -> Any:
    reader: Any = YAML(typ="rt")
    return reader.compose(text)


_kept = lru_cache(maxsize=64)(_nodes)
"""The same for the same text. Nodes are only looked at, so they can be shared."""


def _composed(text: str, file: str) -> Any:
    """The top node; None of an empty file. Nodes have an `id`: scalar, sequence or mapping."""
    try:
        with warnings.catch_warnings():
            # An anchor that is used again is warned of by the reader; it does no harm here.
            warnings.simplefilter("ignore")
            return _kept(text) if len(text) <= _KEPT else _nodes(text)
    except MarkedYAMLError as raised:
        error: Any = raised
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        problem = "this is no valid YAML: " + " ".join(str(error.problem or error.context).split())
        remedy = "Check indentation, quotes and brackets just before this place."
        raise Faults([Fault(file, line, column, problem, remedy)]) from None
    except RecursionError:
        raise Faults([_too_deep(file)]) from None
    except (YAMLError, ValueError, TypeError, LookupError, AttributeError, AssertionError) as error:
        # The reader meets some malformed documents with errors of its own making.
        position = getattr(error, "position", 0)
        line = text.count("\n", 0, position) + 1 if isinstance(position, int) else 1
        remedy = "Look for control characters, or write the file again."
        raise Faults([Fault(file, line, 1, "this is no valid YAML", remedy)]) from None


def _too_deep(file: str) -> Fault:
    return Fault(file, 1, 1, "the file is nested too deeply", "Compare it with one of config/.")


class _Building:
    """Turns nodes into data and notes where each stands. Faults are gathered, not raised."""

    def __init__(self, source: Source, faults: list[Fault]) -> None:
        self._source = source
        self._faults = faults
        self._within: set[int] = set()
        self._count = 0

    def value(self, node: Any, trail: Trail) -> object:
        self._source.places[trail] = self._place(node)
        self._count += 1
        if self._count > YAML_NODES:
            if self._count == YAML_NODES + 1:
                self._faults.append(
                    fault(self._place(node), "the file is too large", "Put people and pairs into CSV files.")
                )
            return None
        if node.id == "scalar":
            return _scalar(node)
        if id(node) in self._within:
            self._faults.append(
                fault(self._place(node), "an alias refers to what it stands in", "Write it out instead.")
            )
            return None
        self._within.add(id(node))
        try:
            if node.id == "sequence":
                return [self.value(item, (*trail, index)) for index, item in enumerate(node.value)]
            return self._mapping(node, trail)
        finally:
            self._within.discard(id(node))

    def _mapping(self, node: Any, trail: Trail) -> dict[str, object]:
        found: dict[str, object] = {}
        for key_node, value_node in node.value:
            place = self._place(key_node)
            if key_node.id != "scalar":
                self._faults.append(fault(place, "a key must be a word", "Write it as `key: value`."))
                continue
            key = str(key_node.value)
            if key in found:
                first = self._source.keys[(*trail, key)].line
                self._faults.append(
                    fault(place, f"the key {quoted(key)} stands here twice, first in line {first}", "Keep one.")
                )
                continue
            self._source.keys[(*trail, key)] = place
            found[key] = self.value(value_node, (*trail, key))
        return found

    def _place(self, node: Any) -> Place:
        mark = node.start_mark
        return Place(self._source.file, mark.line + 1, mark.column + 1) if mark else Place(self._source.file)


def _scalar(node: Any) -> object:
    """A scalar by YAML 1.2: null, true and false, numbers; everything else, dates included, stays text."""
    # The round-trip reader marks with a bell where a folded text was folded, to write it back the same way.
    text = str(node.value).replace("\a", "")
    kind = str(node.tag).rpartition(":")[2]
    if kind == "null":
        return None
    if kind == "bool" and text.lower() in ("true", "false"):
        return text.lower() == "true"
    try:
        if kind == "int":
            digits = text.replace("_", "")
            return int(digits, 0) if digits.lstrip("+-")[:2].lower() in ("0x", "0o") else int(digits)
        if kind == "float":
            return float(text)
    except ValueError:
        pass
    return text


def merged(into: Source, key: str, rows: list[dict[str, Any]], places: Mapping[Trail, Place]) -> None:
    """Append rows that were read from another file to the list `key`, keeping where each of them stands."""
    before = into.size(key)
    if not isinstance(into.data.get(key), list):
        into.data[key] = []
    cast("list[Any]", into.data[key]).extend(rows)
    for (index, *rest), place in places.items():
        into.places[(key, before + int(index), *rest)] = place
