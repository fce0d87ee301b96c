"""Applicants who were collected elsewhere, from a CSV or XLSX file: read by a map of its columns, checked as the page
of the call does, and stored as applications that count.

Importing the same file again changes nothing. Nobody is mailed: those who collected the answers tell the people.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from operations.applications.applicants import call_of
from operations.applications.apply import EMAIL, NAME, ROLE, ZONE, new_id, questions_of
from operations.audit import AuditEntry
from operations.audit import put as put_audit
from operations.errors import Refused
from operations.forms.parse import read, typed_of
from operations.people.deciders import who_decides
from operations.transactions import in_one
from program.addresses import problem_of_address
from program.base import Id, Model
from program.checks.complaints import validated
from program.checks.text_checks import line_problem
from program.faults import Fault, Faults, fault, listed, nearest, quoted
from program.files.people import Row, column_name, read_rows
from program.files.reading import read_yaml
from program.forms import Answers, Question
from store.cohorts import calls
from store.cohorts.calls import Call
from store.database import Database
from store.people import applications, people
from store.people.applications import NewApplication

YES, NO = ("yes", "y", "true", "1", "x", "ja", "oui", "si", "sí"), ("no", "n", "false", "0", "nein", "non")


class ImportMap(Model):
    """Which column of a file holds the answer to which question, and what its values mean."""

    cohort: Id | None = None
    """Whose applicants these are, where the command does not say it."""
    columns: dict[str, str | tuple[str, ...]]
    """`name`, `email`, `role` and ids of questions, each with its column, or several columns, the first one first."""
    values: dict[str, dict[str, str]] = {}
    """Question to what the file says and the value that it means; labels and values of the form need no entry."""
    separator: str = ";"
    """What separates several values in a cell; a line break always does."""
    role: str | None = None
    """The role of everybody, where the file has no column for it."""


@dataclass(frozen=True, slots=True)
class Imported:
    """One row as an application."""

    name: str
    email: str
    role: str
    answers: Answers


@dataclass(frozen=True, slots=True)
class ImportResult:
    """What importing does, or has done: how many are new, say something else than before, or say the same."""

    new: int
    changed: int
    same: int


def read_map(path: Path) -> ImportMap:
    """The map in a YAML file. Raises Faults."""
    source = read_yaml(path)
    faults: list[Fault] = []
    found = validated(ImportMap, source, faults)
    if found is not None:
        needed = [NAME, EMAIL] if found.role else [NAME, EMAIL, ROLE]
        missing = [name for name in needed if name not in found.columns]
        if missing:
            remedy = "Write `columns: {name: …, email: …, role: …}` with the columns of your file."
            faults.append(fault(source.place("columns"), f"{listed(missing)} has no column", remedy))
    if faults or found is None:
        raise Faults(faults)
    return found


def read_applicants(path: Path, mapped: ImportMap, call: Call) -> tuple[list[Imported], tuple[Fault, ...]]:
    """The rows of a file as applications, and what to warn of. Raises Faults with every fault and its line."""
    return _Reader(path, mapped, call).read()


class _Reader:
    """Reads one file."""

    def __init__(self, path: Path, mapped: ImportMap, call: Call) -> None:
        self._path, self._mapped, self._call = path, mapped, call
        self._columns = {
            id_: tuple(map(column_name, (written,) if isinstance(written, str) else written))
            for id_, written in mapped.columns.items()
        }
        self._values = {
            id_: {said.casefold(): value for said, value in meant.items()} for id_, meant in mapped.values.items()
        }
        self._faults: list[Fault] = []

    def read(self) -> tuple[list[Imported], tuple[Fault, ...]]:
        """Every row."""
        needed = tuple(dict.fromkeys(column for columns in self._columns.values() for column in columns))
        rows, columns, guessed = read_rows(self._path, needed)
        self._check_ids()
        warnings = [
            Fault(str(self._path), 1, 1, f"the column {quoted(column)} is not in the map", "It is left out.")
            for column in columns
            if column not in needed
        ]
        if guessed:
            problem = f"the file does not say its encoding; it is read as {guessed}"
            warnings.append(Fault(str(self._path), 1, 1, problem, "Look at the names."))
        found: list[Imported] = []
        seen: dict[str, int] = {}
        for row in rows:
            one = self._row(row)
            if one is None:
                continue
            first = seen.setdefault(one.email.casefold(), row.place.line)
            if first != row.place.line:
                problem = f"this address was in line {first} already"
                self._faults.append(fault(row.place, problem, "Keep one row for each person."))
            found.append(one)
        if not rows:
            self._faults.append(Fault(str(self._path), 1, 1, "the file has no rows", "Write one for each person."))
        if self._faults:
            raise Faults(self._faults)
        return found, tuple(warnings)

    def _check_ids(self) -> None:
        known = {NAME, EMAIL, ROLE} | {question.id for question in self._call.form.questions}
        for id_ in self._columns:
            if id_ not in known:
                near = nearest(id_, sorted(known))
                remedy = f"Did you mean `{near[0]}`?" if near else f"Known are {', '.join(sorted(known))}."
                problem = f"the map names {quoted(id_)}, and the form `{self._call.form.form}` does not ask it"
                self._faults.append(Fault(str(self._path), 1, 1, problem, remedy))

    def _row(self, row: Row) -> Imported | None:
        before = len(self._faults)
        role = self._mapped.role or self._meant(ROLE, self._text(row, ROLE), self._role_labels())
        if role not in self._call.terms.roles:
            roles = listed(self._call.terms.roles)
            self._wrong(row, ROLE, f"{quoted(role)} is no role" if role else "there is no role", f"Write {roles}.")
            return None
        questions = questions_of(self._call, role)
        mapped = [question for question in questions if question.id in self._columns]
        answers: Answers = {}
        for question in mapped:
            value = self._answer(row, question)
            if value is not None:
                answers[question.id] = value
        email = str(answers.get(EMAIL, ""))
        problem, remedy = problem_of_address(email) if email else ("", "")
        if problem:
            self._wrong(row, EMAIL, problem, remedy)
        if problem := line_problem(str(answers.get(NAME, ""))):
            self._wrong(row, NAME, problem, "Write it on one line.")
        reading = read(mapped, typed_of(mapped, answers))
        for wrong in reading.faults:
            self._wrong(row, wrong.control.split(".")[0], wrong.message, "")
        if len(self._faults) > before:
            return None
        body = {id_: answer for id_, answer in reading.answers.items() if id_ not in (NAME, EMAIL, ROLE)}
        return Imported(str(reading.answers[NAME]), email, role, body)

    def _wrong(self, row: Row, id_: str, problem: str, remedy: str) -> None:
        cells = (row.cells[column] for column in self._columns.get(id_, ()) if column in row.cells)
        place = next((place for _, place in cells), row.place)
        self._faults.append(fault(place, f"{problem.rstrip('.')} (`{id_}`)", remedy))

    def _text(self, row: Row, id_: str) -> str:
        texts = (row.cells[column][0] for column in self._columns.get(id_, ()) if column in row.cells)
        return "\n".join(texts)

    def _role_labels(self) -> dict[str, str]:
        return {
            label.casefold(): role for role in self._call.terms.roles for label in (role, self._call.role_label(role))
        }

    def _meant(self, id_: str, said: str, labels: Mapping[str, str]) -> str:
        key = said.strip().casefold()
        return self._values.get(id_, {}).get(key) or labels.get(key, said.strip())

    def _answer(self, row: Row, question: Question) -> Any:
        """The answer of a cell, as the form stores it; what can't be read is left for the form to refuse."""
        text = self._text(row, question.id)
        if not text:
            return None
        if question.type == "group":
            part = question.fields[0]
            labels = {name.casefold(): one.value for one in part.options for name in (one.value, one.label)}
            return [{part.id: self._meant(question.id, said, labels)} for said in self._several(text)]
        labels = {name.casefold(): one.value for one in question.options for name in (one.value, one.label)}
        match question.type:
            case "many":
                return [self._meant(question.id, said, labels) for said in self._several(text)]
            case "one":
                return self._meant(question.id, text, labels)
            case "yes_no":
                said = self._meant(question.id, text, {}).casefold()
                if said not in (*YES, *NO):
                    self._wrong(row, question.id, f"{quoted(text)} is neither yes nor no", "Write yes or no.")
                return said in YES
            case "number" | "scale":
                said = self._meant(question.id, text, {})
                return int(said) if re.fullmatch(r"-?\d{1,6}", said) else said
            case _:
                return text

    def _several(self, text: str) -> Iterator[str]:
        for said in text.replace(self._mapped.separator, "\n").splitlines():
            if said.strip():
                yield said.strip()


# -- into the call --------------------------------------------------------------------------------------------------


async def call_for(database: Database, cohort: str) -> Call:
    """The open call into which is imported. Raises NotFound, and Refused once its pairs are published."""
    async with database.session() as session:
        call = await call_of(session, cohort)
    if call.gathering.published or call.state != "running":
        raise Refused(f"nobody can be added to {cohort} any more: its pairs are published, or it is over")
    return call


async def put_applicants(
    database: Database,
    cohort: str,
    rows: Sequence[Imported],
    now: datetime,
    *,
    dry_run: bool,
    by: str,
    why: str = "",
    proof: str,
) -> ImportResult:
    """Store these people as applicants whose application counts, all of them or none. `now` is program time (UTC).

    With `dry_run` nothing is stored. Somebody who withdrew stays withdrawn and counts as the same. Raises Refused.
    """
    call = await call_for(database, cohort)

    async def carry_out(session: AsyncSession) -> ImportResult:
        decider = who_decides(cohort, await people.deciders(session, cohort), by)
        if not dry_run:
            await calls.lock(session, cohort)
        counts = {"new": 0, "changed": 0, "same": 0}
        touched: list[str] = []
        for row in rows:
            outcome, person = await _put(session, call, row, now, dry_run=dry_run)
            counts[outcome] += 1
            touched += [person] if outcome != "same" else []
        if touched and not dry_run:
            await put_audit(
                session, now, AuditEntry("applicants import", decider, proof, cohort, touched, reason=why)
            )
        return ImportResult(counts["new"], counts["changed"], counts["same"])

    return await in_one(database, carry_out)


async def _put(session: AsyncSession, call: Call, row: Imported, now: datetime, *, dry_run: bool) -> tuple[str, str]:
    known = await applications.of_address(session, call.cohort, row.email)
    if known is not None:
        same = known.state in applications.COUNTS and (known.role, known.body) == (row.role, dict(row.answers))
        if same or known.state == "withdrawn" or known.standing in ("erased", "bounced"):
            return "same", known.person
        if not dry_run:
            await applications.change(
                session, known.id, state="waiting" if known.state == "waiting" else "confirmed", role=row.role,
                name=row.name, body=dict(row.answers), form_version=call.form.version, at=now,
                confirmed_at=known.confirmed_at or now,
            )  # fmt: skip
        return "changed", known.person
    if dry_run:
        return "new", ""
    person = await people.find(session, email=row.email)
    person_id = person.id if person else "a" + new_id()
    if person is None:
        zone = str(row.answers.get(ZONE) or call.zone)
        await applications.add_person(session, person_id, row.name, row.email, zone, call.language)
    id_ = new_id()
    await applications.add(
        session,
        NewApplication(
            id_, call.cohort, person_id, row.role, row.name, dict(row.answers), call.form.version, now, "confirmed"
        ),
    )
    await applications.change(session, id_, confirmed_at=now)
    return "new", person_id
