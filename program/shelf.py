"""Where programs and forms are found by their ids, and each of them read once.

A file is looked for beside the file that names it (`../programs`, `../forms`) and then among those that ship with
the engine. An id is the name of its file without `.yaml`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from program.complaints import validated
from program.content import content_hash
from program.faults import Fault, Faults, Place, fault, nearest, quoted
from program.form_checks import check_form, check_read_by_rules
from program.forms import Form
from program.models import ID_PATTERN, Program
from program.program_checks import asks_of, check_program
from program.reading import Source, read_yaml

SHIPPED = Path(__file__).resolve().parent.parent / "config"
"""The config that comes with the engine, in a checkout and in an installed wheel alike."""


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

    folder: Path
    """The folder that holds `programs/` and `forms/`."""
    faults: list[Fault] = field(default_factory=list[Fault])
    warnings: list[Fault] = field(default_factory=list[Fault])
    _forms: dict[str, tuple[Form, Source] | None] = field(default_factory=dict[str, "tuple[Form, Source] | None"])
    _programs: dict[str, LoadedProgram | None] = field(default_factory=dict[str, "LoadedProgram | None"])

    def find(self, kind: str, id_: str) -> Path | None:
        """The file of a program or form (`kind` is the folder's name); None where there is none."""
        if re.match(ID_PATTERN, id_):
            for folder in (self.folder, SHIPPED):
                path = folder / kind / f"{id_}.yaml"
                if path.is_file():
                    return path
        return None

    def known(self, kind: str) -> list[str]:
        """The ids that can be found."""
        return sorted({path.stem for folder in (self.folder, SHIPPED) for path in (folder / kind).glob("*.yaml")})

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

    def program_at(self, path: Path) -> LoadedProgram | None:
        """The program in this file with its forms."""
        before = len(self.faults)
        try:
            source = read_yaml(path)
        except Faults as found:
            self.faults.extend(found.faults)
            return None
        program = validated(Program, source, self.faults)
        if program is None:
            return None
        warnings: list[Fault] = []
        self.faults.extend(check_program(program, source, path.stem, warnings))
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
