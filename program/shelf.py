"""Where programs and forms are found by their ids, and each of them read once.

`program.files.folders` says in which folders, first to last. An id is the name of its file without `.yaml`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from program.base import ID_PATTERN
from program.checks.complaints import validated
from program.checks.form_checks import check_form, check_read_by_rules
from program.checks.program_checks import asks_of, check_program
from program.content import content_hash
from program.faults import Fault, Faults, Place, fault, nearest, quoted
from program.files.extending import EXTENDS, extended
from program.files.folders import search_order
from program.files.reading import Source, read_yaml
from program.forms import Form
from program.models import Program


@dataclass(frozen=True, slots=True)
class LoadedProgram:
    """A program with the forms that it uses, by form id, and the hash of all that content."""

    program: Program
    forms: Mapping[str, Form]
    hash: str
    warnings: tuple[Fault, ...] = ()

    def form(self, ask: str) -> Form:
        """The form that this ask uses. Raises KeyError where the program does not ask it."""
        return self.forms[self.program.form_for(ask)]


@dataclass(slots=True)
class Shelf:
    """The programs and forms within reach of one file. Gathers faults; never raises them."""

    folders: tuple[Path, ...]
    """Folders that hold `programs/` and `forms/`, first to last."""
    faults: list[Fault] = field(default_factory=list[Fault])
    warnings: list[Fault] = field(default_factory=list[Fault])
    _forms: dict[str, tuple[Form, Source] | None] = field(default_factory=dict[str, "tuple[Form, Source] | None"])
    _programs: dict[str, LoadedProgram | None] = field(default_factory=dict[str, "LoadedProgram | None"])

    @classmethod
    def around(cls, path: Path, own: Path | None) -> Shelf:
        """What is within reach of a file in a folder such as `cohorts/`. `own`: the coordinators' own folder."""
        return cls(search_order(path.parent.parent, own))

    def find(self, kind: str, id_: str, after: Path | None = None) -> Path | None:
        """The file of a program or form (`kind` is the folder's name); None where there is none.

        With `after`, one of the files that would be found, the one that would be found without it.
        """
        if not re.fullmatch(ID_PATTERN, id_):
            return None
        paths = [folder / kind / f"{id_}.yaml" for folder in self.folders]
        if after is not None:
            same = [number for number, path in enumerate(paths) if path.resolve() == after.resolve()]
            paths = paths[same[-1] + 1 :] if same else paths
        return next((path for path in paths if path.is_file()), None)

    def known(self, kind: str) -> list[str]:
        """The ids that can be found."""
        return sorted({path.stem for folder in self.folders for path in (folder / kind).glob("*.yaml")})

    def missing(self, kind: str, id_: str, place: Place) -> Fault:
        """Say that there is no such program or form, and which one may have been meant."""
        known = self.known(kind)
        near = nearest(id_, known)
        remedy = f"Did you mean `{near[0]}`?" if near else f"Known are {', '.join(known)}."
        return fault(place, f"there is no {kind.removesuffix('s')} {quoted(id_)} in config/{kind}", remedy)

    def program(self, id_: str, place: Place) -> LoadedProgram | None:
        """The program of this id with its forms; `place` is where it is named."""
        if id_ not in self._programs:
            path = self.find("programs", id_)
            self._programs[id_] = self.program_at(path) if path else None
            if path is None:
                self.faults.append(self.missing("programs", id_, place))
        return self._programs[id_]

    def program_source(self, id_: str) -> Source | None:
        """The document of the program of this id, with what it inherits; None where none can be read."""
        path = self.find("programs", id_)
        return self._program_source(path, ()) if path else None

    def program_at(self, path: Path) -> LoadedProgram | None:
        """The program in this file with its forms."""
        source = self._program_source(path, ())
        return self.program_from(source, path.stem) if source else None

    def program_from(self, source: Source, stem: str) -> LoadedProgram | None:
        """The program in this document with its forms; `stem` is the name of its file without `.yaml`."""
        before = len(self.faults)
        program = validated(Program, source, self.faults, also_known=(EXTENDS,))
        if program is None:
            return None
        warnings: list[Fault] = []
        self.faults.extend(check_program(program, source, stem, warnings))
        self.warnings.extend(warnings)
        forms: dict[str, Form] = {}
        for ask in asks_of(program):
            form_id = program.form_for(ask)
            found = self.form(form_id, source.place("forms", ask))
            if found is not None:
                forms[form_id] = found[0]
                self.faults.extend(check_read_by_rules(found[0], found[1], ask, program.format))
        if len(self.faults) > before:
            return None
        return LoadedProgram(program, forms, content_hash(program, forms), tuple(warnings))

    def _program_source(self, path: Path, within: tuple[Path, ...]) -> Source | None:
        """The document of a program, put together with the one that it extends. `within`: files that extend it."""
        try:
            source = read_yaml(path)
        except Faults as found:
            self.faults.extend(found.faults)
            return None
        if EXTENDS not in source.data:
            return source
        place, id_ = source.place(EXTENDS), source.text(EXTENDS)
        del source.data[EXTENDS]
        if id_ is None:
            remedy = "Write its id, such as `extends: formal`."
            self.faults.append(fault(place, f"`{EXTENDS}` should name one program", remedy))
            return None
        # A program may extend the one of its own name that it stands in front of.
        other = self.find("programs", id_, after=path if id_ == path.stem else None)
        if other is None and id_ == path.stem:
            problem = f"the program {quoted(id_)} extends itself, and none of that name stands behind it"
            self.faults.append(fault(place, problem, "Write the id of another program, such as `extends: formal`."))
            return None
        if other is None:
            self.faults.append(self.missing("programs", id_, place))
            return None
        if other.resolve() in {one.resolve() for one in (path, *within)}:
            remedy = "Write the values into one of the files, and let only the others extend it."
            self.faults.append(fault(place, f"the program {quoted(id_)} extends itself in the end", remedy))
            return None
        base = self._whole(other, (path, *within))
        return extended(source, base, place) if base else None

    def _whole(self, path: Path, within: tuple[Path, ...]) -> Source | None:
        """The document of a program that others extend; None where it has faults of its own, which are told alone."""
        apart = Shelf(self.folders)
        source = apart._program_source(path, within)
        if source is not None:
            apart.program_from(source, path.stem)
        self.faults.extend(apart.faults)
        return None if apart.faults else source

    def form(self, id_: str, place: Place) -> tuple[Form, Source] | None:
        """The form of this id and its document; `place` is where it is named."""
        if id_ not in self._forms:
            path = self.find("forms", id_)
            self._forms[id_] = self.form_at(path) if path else None
            if path is None:
                self.faults.append(self.missing("forms", id_, place))
        return self._forms[id_]

    def form_at(self, path: Path) -> tuple[Form, Source] | None:
        """The form in this file and its document."""
        try:
            source = read_yaml(path)
        except Faults as found:
            self.faults.extend(found.faults)
            return None
        form = validated(Form, source, self.faults)
        if form is None:
            return None
        if form.form != path.stem:
            self.faults.append(
                fault(
                    source.place("form"),
                    f"the form is called `{form.form}`, and its file {quoted(path.stem)}",
                    f"Write `form: {path.stem}`, or rename the file.",
                )
            )
        self.faults.extend(check_form(form, source))
        return form, source
