"""An edited program is taken to mentorships that run, from a terminal. Temporal and SQL are real."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from lifecycle.keys import request_key
from lifecycle.state import State
from operations.forms.parse import Typed
from operations.forms.submit import Faulty, Saved, submit
from program.files.folders import SHIPPED
from store.forms import requests
from store.mentorships.turns import public_id
from store.tables import ParticipantRow
from testing.environments.cli_env import ConfigFolder, today
from tests.cli.conftest import CliEnv
from tests.cli.test_changes import dates, foretold, operation, state
from tests.cli.test_launch import accepted, edited, row, told

NEW = (
    ("length: 26w", "length: 28w"),
    ("reminders: [6d, 10d]", "reminders: [5d, 9d]"),
    ("For half a year you meet", "For a good half year you meet"),
)
"""What the coordinator edits in the program."""


def edit(config_folder: ConfigFolder, *changes: tuple[str, str]) -> Path:
    """The program, and the form of the invitation, otherwise."""
    program = config_folder.folder / "programs" / "trial.yaml"
    edited(program, *changes)
    form = config_folder.folder / "forms" / "invitation.yaml"
    form.parent.mkdir(exist_ok=True)
    shipped = (SHIPPED / "forms" / "invitation.yaml").read_text()
    kept, _, _ = shipped.partition("  - id: i_easier\n")
    form.write_text(kept + "  - id: i_needs\n    type: text\n    label: What do you need?\n    required: true\n")
    return program


async def answers(cli_env: CliEnv, name: str, person: str, key: str, **typed: str) -> Saved | Faulty:
    """Somebody submits the form of their invitation."""
    link = public_id(request_key(name, key, "invitation", 1, f"{name}-{person}"))
    fields: Typed = {"accept": ["yes"], **{question: [value] for question, value in typed.items()}}
    kept = await submit(cli_env.database, link, 1, f"sent-{name}-{person}-{len(typed)}", fields, datetime.now(UTC))
    assert isinstance(kept, Saved | Faulty)
    return kept


async def asks(cli_env: CliEnv, name: str, person: str, ask: str, key: str) -> list[str]:
    """The questions on the page of a request."""
    async with cli_env.database.session() as session:
        found = await requests.find(session, public_id(request_key(name, key, ask, 1, f"{name}-{person}")), 1)
    assert found is not None
    return [question.id for question in found.questions]


@pytest.fixture
async def edition(cli_env: CliEnv, config_folder: ConfigFolder) -> tuple[CliEnv, ConfigFolder, str]:
    """The cohort `edition`, everybody invited, and its program edited since."""
    path = config_folder.cohort("edition", ["m1", "m2", "m3"])
    assert (await cli_env.mentorship("launch", str(path), "--yes")).code == 0
    await told(cli_env, "edition", people=6)
    await cli_env.mentorship("end", "edition/m3", "--reason", "no_fault", "--yes")
    edit(config_folder, *NEW)
    return cli_env, config_folder, str(path)


async def test_an_edited_program_is_taken_to_what_runs(edition: tuple[CliEnv, ConfigFolder, str]) -> None:
    cli_env, config_folder, file = edition
    launching = await cli_env.mentorship("launch", file, "--dry-run")
    assert "those that run keep theirs until `mentorship adopt --file FILE`" in launching.out

    # A file with faults changes nothing.
    before = {key: await state(cli_env, "edition", key) for key in ("m1", "m2")}
    program = config_folder.folder / "programs" / "trial.yaml"
    edited(program, ("length: 28w", "length: soon"))
    faulty = await cli_env.mentorship("adopt", "--file", file, "--yes")
    place, _, says = faulty.err.partition(": ")
    assert (faulty.code, place.endswith("trial.yaml:16:9"), "Nothing was changed." in says) == (1, True, True), place
    edited(program, ("length: soon", "length: 28w"))

    # What a dry run shows is what then happens: to one, and then to all that are left.
    shown = await cli_env.mentorship("adopt", "m1", "--file", file, "--dry-run", "--json")
    assert (shown.code, shown.json["outcome"]) == (0, "dry_run"), shown.err
    assert shown.json["says"] == [
        "about: other words",
        "length: 182 → 196",
        "phases.midpoint.window.reminders: 6, 10 → 5, 9",
        "form invitation: no longer asks i_easier, b_confid; asks i_needs",
    ]
    assert {key: await state(cli_env, "edition", key) for key in ("m1", "m2")} == before
    old = (await row(cli_env, "edition")).program_hash
    done = await cli_env.mentorship("adopt", "m1", "--file", file, "--yes", "--why", "they asked", "--json")
    assert {**done.json, "outcome": ""} == {**shown.json, "outcome": ""}, done.err
    after = await state(cli_env, "edition", "m1")
    assert dates(after) == foretold(dates(before["m1"]), shown.json)
    assert (after.end - before["m1"].end, _reminders(after)) == (timedelta(days=14), (5, 9))
    assert (await row(cli_env, "edition")).program_hash == after.version != old
    assert await state(cli_env, "edition", "m2") == before["m2"]
    [order] = await operation(cli_env, "edition", "adopt")
    assert (order.by, order.why, order.result) == ("edition-c1", "they asked", "done")

    unsure = await cli_env.mentorship("adopt", "--file", file)
    assert (unsure.code, "Adopt 1 mentorships (1 more were done before): write --yes" in unsure.err) == (2, True)
    rest = await cli_env.mentorship("adopt", "--file", file, "--yes")
    assert rest.code == 0, rest.err
    assert "edition/m1  nothing to do: it goes by this version already" in rest.out
    assert "edition/m2  done" in rest.out
    again = await cli_env.mentorship("adopt", "m1", "--file", file, "--yes")
    assert "it goes by this version already. Nothing to do." in again.out
    launched = await cli_env.mentorship("launch", file, "--json")
    assert (launched.json["state"], launched.json["changes"]) == ("nothing_to_do", []), "no longer once more"

    # The open form is the one that was asked; a person who is asked from now on gets the new one.
    assert await answers(cli_env, "edition", "b1", "m1", i_easier="A walk.") == Saved(1)
    async with cli_env.database.session() as session:
        assert (await session.get_one(ParticipantRow, "edition-b1")).profile["easier"] == "A walk."
    someone = ("--name", "Ada Ng", "--email", "ada@edition.example.org")
    assert (await cli_env.mentorship("replace", "edition-b2", "--with", "edition-n2", *someone, "--yes")).code == 0
    assert "i_easier" in await asks(cli_env, "edition", "a2", "invitation", "m2")
    newcomer = public_id(request_key("edition", "m2", "invitation", 2, "edition-n2"))
    async with cli_env.database.session() as session:
        found = await requests.find(session, newcomer, 1)
    assert found is not None
    assert "i_needs" in {question.id for question in found.questions}
    assert found.program.about.startswith("For a good half year")

    # Back to what it was: the old file again.
    edited(program, *((new, old) for old, new in NEW))
    (config_folder.folder / "forms" / "invitation.yaml").unlink()
    back = await cli_env.mentorship("adopt", "m1", "--file", file, "--yes", "--json")
    assert back.json["outcome"] == "done", back.err
    assert (await row(cli_env, "edition")).program_hash == old
    assert (await state(cli_env, "edition", "m1")).end == before["m1"].end


def _reminders(found: State) -> tuple[int, ...]:
    assert found.program.phases.midpoint is not None
    return tuple(found.program.phases.midpoint.window.reminders)


async def test_one_that_has_begun_keeps_what_it_has_and_what_makes_no_sense_is_refused(
    cli_env: CliEnv, config_folder: ConfigFolder
) -> None:
    file = edited(config_folder.cohort("begun", ["m1"]), ("{key: m1,", f"{{key: m1, start: {today()},"))
    assert (await cli_env.mentorship("launch", file, "--yes")).code == 0
    await told(cli_env, "begun", people=2)
    await accepted(cli_env, "begun")
    document = await asks(cli_env, "begun", "b1", "agreement", "m1")
    program = config_folder.folder / "programs" / "trial.yaml"
    agreement = config_folder.folder / "forms" / "agreement.yaml"
    agreement.parent.mkdir()
    shipped = (SHIPPED / "forms" / "agreement.yaml").read_text()
    shipped = shipped.replace("    contented: References and introductions.\n", "")

    agreement.write_text(shipped.replace("  - id: a_out\n    type: text", "  - id: a_out\n    type: date"))
    refused = await cli_env.mentorship("adopt", "--file", file, "--yes")
    assert (refused.code, "asks a_out in another way than before" in refused.err) == (2, True), refused.err
    agreement.write_text(shipped.replace("- id: a_out\n", "- id: a_never\n"))
    other = str(config_folder.cohort("elsewhere", ["m1"]))
    refused = await cli_env.mentorship("adopt", "begun/m1", "--file", other)
    assert "the file is of the cohort elsewhere; for begun/m1 name the file of theirs" in refused.err
    group = program.read_text()
    edited(program, ("format: one_to_one", "format: peer"))
    edited(Path(file), ("mentor: begun-a1, mentee: begun-b1", "peers: [begun-a1, begun-b1]"))
    refused = await cli_env.mentorship("adopt", "--file", file, "--yes")
    assert (refused.code, "it is one_to_one; write a version of that format" in refused.out) == (2, True), refused.err
    edited(Path(file), ("peers: [begun-a1, begun-b1]", "mentor: begun-a1, mentee: begun-b1"))
    program.write_text(group)

    before = await state(cli_env, "begun")
    edited(program, ("fit_check:\n      opens: start + 14d", "fit_check:\n      opens: start + 21d"))
    shown = await cli_env.mentorship("adopt", "--file", file, "--dry-run")
    first, then = (today() + timedelta(days=days) for days in (14, 21))
    assert f"moves       Fit check {first:%a} {first} → {then:%a} {then}" in shown.out
    assert "version     form agreement: no longer asks a_out; asks a_never" in shown.out
    assert (await cli_env.mentorship("adopt", "--file", file, "--yes")).code == 0
    after = await state(cli_env, "begun")
    assert [step for step in after.steps if step.state != "planned"] == [
        step for step in before.steps if step.state != "planned"
    ]
    assert await asks(cli_env, "begun", "b1", "agreement", "m1") == document, "the document goes on as it was begun"
