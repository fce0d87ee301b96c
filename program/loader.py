"""Loads cohorts, programs and forms from their files: whole and checked, or not at all.

Every fault of a file and of the files it uses is reported at once, with file, line, column and what to write
instead. A loader never asks a clock: what "in the past" means comes in as an argument.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, cast

from program.checks.cohort_checks import PEOPLE, check_cohort
from program.checks.complaints import validated
from program.checks.gathering_checks import check_gathering
from program.checks.language_checks import check_languages
from program.content import content_hash
from program.faults import Fault, Faults, Place, fault, quoted
from program.files.folders import SHIPPED, template_folders
from program.files.people import Rows, read_pairs, read_people
from program.files.reading import Source, merged, read_yaml
from program.forms import Form
from program.models import Cohort, Format, Mentorship, Participant, Person, Program
from program.shelf import LoadedProgram, Shelf

__all__ = [
    "SHIPPED",
    "Fault",
    "Faults",
    "Loaded",
    "LoadedProgram",
    "Place",
    "content_hash",
    "load_cohort",
    "load_form",
    "load_program",
]

CheckTemplates = Callable[[tuple[Path, ...], Collection[Format]], Iterable[tuple[str, int, str]]]
"""Given the folders of the mail templates, says which do not render: (file, line, what is wrong)."""

MissingTemplates = Callable[[tuple[Path, ...]], Mapping[str, tuple[str, ...]]]
"""Given the same, says which languages there are, and which templates each of them lacks."""

TodayIn = Callable[[str], date]
"""Today in the zone that a file names; what it names may be no zone."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """A cohort with everything it uses. People without zone or language have got the cohort's."""

    cohort: Cohort
    used: Mapping[str, LoadedProgram]
    """Program id to program, of the cohort's program and of every other that a mentorship names."""
    warnings: tuple[Fault, ...] = ()
    application: Form | None = None
    """The form of the open call; None where nobody can apply."""
    mails: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    """Mail templates of the cohort's own, by language and name, such as `en/check_in`."""

    @property
    def programs(self) -> dict[str, Program]:
        """Program id to program."""
        return {id_: loaded.program for id_, loaded in self.used.items()}

    @property
    def forms(self) -> dict[str, Mapping[str, Form]]:
        """Program id to the forms it uses, by form id."""
        return {id_: loaded.forms for id_, loaded in self.used.items()}

    @property
    def hashes(self) -> dict[str, str]:
        """Program id to the hash of its content, forms included."""
        return {id_: loaded.hash for id_, loaded in self.used.items()}

    def program_of(self, mentorship: Mentorship) -> LoadedProgram:
        """The program that this mentorship runs on."""
        return self.used[mentorship.program or self.cohort.program]


def load_form(path: Path | str, own: Path | None = None) -> Form:
    """The form in a file. Raises Faults."""
    path = Path(path)
    shelf = Shelf.around(path, own)
    found = shelf.form_at(path)
    if shelf.faults or found is None:
        raise Faults(shelf.faults)
    return found[0]


def load_program(path: Path | str, own: Path | None = None) -> LoadedProgram:
    """The program in a file, with its forms from `../forms`, the `own` folder or the shipped ones. Raises Faults."""
    path = Path(path)
    shelf = Shelf.around(path, own)
    found = shelf.program_at(path)
    if shelf.faults or found is None:
        raise Faults(shelf.faults)
    return found


def load_cohort(
    path: Path | str,
    today: date | TodayIn | None = None,
    check_templates: CheckTemplates | None = None,
    missing_templates: MissingTemplates | None = None,
    own: Path | None = None,
    *,
    utf8: bool = False,
) -> Loaded:
    """The cohort in a file, with its people, programs and forms. Raises Faults with all of them at once.

    A start before `today` (the date in the cohort's zone) is a fault; None accepts any, as for a cohort that
    already runs. `check_templates` is asked about the mail templates in the wording of the formats that the cohort
    uses, and `missing_templates` about languages that have not all of them. `own` is the coordinators' own folder, as
    `program.files.folders` has it. `utf8`: the relay takes addresses with letters beyond ASCII before the @.
    """
    path = Path(path)
    shelf = Shelf.around(path, own)
    source = read_yaml(path)
    _take_in_csv(source, path, shelf)
    _accept_mentee(source, shelf.faults)
    cohort = validated(Cohort, source, shelf.faults, also_known=("people", "pairs"))
    used = _programs(source, shelf)
    formats: dict[str, Format] = {id_: loaded.program.format for id_, loaded in used.items()}
    today = today(source.text("zone") or "") if callable(today) else today
    shelf.faults.extend(check_cohort(source, today, formats, shelf.warnings, utf8=utf8))
    if cohort is not None and cohort.cohort != path.stem:
        shelf.warnings.append(
            fault(
                source.place("cohort"),
                f"the cohort is called `{cohort.cohort}`, and its file `{path.stem}`",
                "The cohort's id is what counts.",
            )
        )
    templates = template_folders(path.parent.parent, own)
    if check_templates is not None:
        shelf.faults.extend(
            Fault(
                file,
                line,
                1,
                f"this template does not render: {problem.rstrip('.')}",
                "Compare it with the shipped one.",
            )
            for file, line, problem in check_templates(templates, frozenset(formats.values()))
        )
    if missing_templates is not None:
        shelf.warnings.extend(check_languages(source, templates, missing_templates(templates)))
    application = _application(source, shelf, cohort, used) if cohort is not None else None
    if shelf.faults or cohort is None:
        raise Faults(shelf.faults)
    return Loaded(_completed(cohort), used, tuple(sorted(set(shelf.warnings))), application)


def _application(source: Source, shelf: Shelf, cohort: Cohort, used: Mapping[str, LoadedProgram]) -> Form | None:
    """The form of the open call, checked with everything else of the call."""
    form = None
    if cohort.apply is not None:
        found = shelf.form(cohort.apply.form, source.place("apply", "form"))
        form = found[0] if found else None
    program = used.get(cohort.program)
    shelf.faults.extend(check_gathering(source, cohort, program.program if program else None, form))
    return form


def _take_in_csv(source: Source, path: Path, shelf: Shelf) -> None:
    """Rows of the CSV files named by `people` and `pairs` join what stands in the cohort's own file."""
    readers: tuple[tuple[str, str, Callable[[Path], Rows]], ...] = (
        ("people", "participants", read_people),
        ("pairs", "mentorships", read_pairs),
    )
    for key, list_key, read in readers:
        if key not in source.data:
            continue
        name = source.text(key)
        del source.data[key]
        source.incomplete.add(list_key)
        if name is None:
            remedy = f"Write the name of a CSV file beside this one, such as `{key}: {key}.csv`."
            shelf.faults.append(fault(source.place(key), f"`{key}` should be a file name", remedy))
            continue
        if not (path.parent / name).is_file():
            remedy = "The name is read from the folder of this file."
            shelf.faults.append(fault(source.place(key), f"there is no file {quoted(name)}", remedy))
            continue
        try:
            rows = read(path.parent / name)
        except Faults as found:
            shelf.faults.extend(found.faults)
            continue
        shelf.faults.extend(rows.faults)
        shelf.warnings.extend(rows.warnings)
        if rows.whole:
            source.incomplete.discard(list_key)
        if isinstance(source.data.get(list_key), list | None):
            merged(source, list_key, rows.rows, rows.places)


def _accept_mentee(source: Source, faults: list[Fault]) -> None:
    """`mentee: p02` is the same as `mentees: [p02]`."""
    for index in range(source.size("mentorships")):
        entry = source.at("mentorships", index)
        if not isinstance(entry, dict) or "mentee" not in entry:
            continue
        mentorship = cast("dict[str, Any]", entry)
        here = ("mentorships", index)
        if "mentees" in mentorship:
            place = source.key_place(*here, "mentee")
            faults.append(fault(place, "`mentee` and `mentees` stand here both", "Keep one of the two."))
            del mentorship["mentee"]
            continue
        mentorship["mentees"] = [mentorship.pop("mentee")]
        for steps in (("mentees",), ("mentees", 0)):
            source.places[(*here, *steps)] = source.place(*here, "mentee")


def _programs(source: Source, shelf: Shelf) -> dict[str, LoadedProgram]:
    """The programs that the document names, those that could be loaded."""
    trails = [("program",), *(("mentorships", n, "program") for n in range(source.size("mentorships")))]
    found: dict[str, LoadedProgram] = {}
    for trail in trails:
        id_ = source.text(*trail)
        loaded = shelf.program(id_, source.place(*trail)) if id_ else None
        if id_ and loaded:
            found[id_] = loaded
    return found


def _completed(cohort: Cohort) -> Cohort:
    """Everybody without zone or language of their own gets the cohort's."""

    def complete(person: Person) -> dict[str, str]:
        update = {} if person.zone else {"zone": cohort.zone}
        return update if "language" in person.model_fields_set else {**update, "language": cohort.language}

    update: dict[str, tuple[Person, ...]] = {}
    for group in PEOPLE:
        people: tuple[Person | Participant, ...] = getattr(cohort, group)
        update[group] = tuple(person.model_copy(update=complete(person)) for person in people)
    return cohort.model_copy(update=update)
