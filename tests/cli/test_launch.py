"""Launching is reconciling (lifecycle 9), as a coordinator does it from a terminal. Temporal and SQL are real.

What is put into a postbox is looked at there: it is mailed half a minute later, which other tests wait for.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, update

from lifecycle.events import Answered
from lifecycle.findings import Signals
from runtime.temporal import send
from store.database import Database, migrate
from store.tables import EventRow, ItemRow, MembershipRow, MentorshipRow, OperationRow, ParticipantRow
from testing.environments.cli_env import ConfigFolder, today
from tests.cli.conftest import CliEnv, declined
from tests.cli.test_killed import process

MANY = 30
"""Mentorships that are changed, enough that a launch can be killed while it changes them."""


def edited(path: Path, *changes: tuple[str, str]) -> str:
    """The file with some of its words otherwise."""
    text = path.read_text()
    for before, after in changes:
        assert before in text
        text = text.replace(before, after)
    path.write_text(text)
    return str(path)


def with_person(path: Path, id_: str) -> tuple[str, str]:
    """A further participant, as a change to the file."""
    name = path.stem
    line = f"  - {{id: {name}-{id_}, name: Person {id_}, email: {id_}@{name}.example.org}}"
    return "mentorships:", f"{line}\nmentorships:"


async def row(cli_env: CliEnv, name: str, key: str = "m1") -> MentorshipRow:
    """A mentorship as the store has it."""
    async with cli_env.database.session() as session:
        return await session.get_one(MentorshipRow, (name, key))


async def seats(cli_env: CliEnv, name: str, key: str = "m1") -> dict[str, str]:
    """Who has, or had, a seat, and how they stand."""
    async with cli_env.database.session() as session:
        found = await session.execute(
            select(MembershipRow.person, MembershipRow.standing).where(
                MembershipRow.cohort == name, MembershipRow.mentorship == key
            )
        )
        return {person.removeprefix(f"{name}-"): standing for person, standing in found}


async def told(cli_env: CliEnv, name: str, *, people: int = 0) -> list[str]:
    """What was put into postboxes, once so many people of the cohort have been invited."""

    async def look() -> list[str]:
        async with cli_env.database.session() as session:
            rows = await session.execute(
                select(ItemRow.person, ItemRow.name).where(ItemRow.cohort == name).order_by(ItemRow.key)
            )
            return [f"{item} to {person.removeprefix(f'{name}-')}" for person, item in rows]

    async def all_are() -> bool:
        return sum("invitation" in one for one in await look()) >= people

    await cli_env.until(all_are)
    return await look()


async def accepted(cli_env: CliEnv, name: str, people: Sequence[str] = ("a1", "b1"), key: str = "m1") -> None:
    """These people say yes."""
    for person in people:
        yes = Answered(
            f"yes/{name}/{person}", f"{name}-{person}", "invitation", 1, Signals(accepted=True), datetime.now(UTC)
        )
        await send(cli_env.client, name, key, yes)


# -- what is new -------------------------------------------------------------------------------------------------


async def test_launch_starts_all_and_a_second_launch_does_nothing(
    cli_env: CliEnv, config_folder: ConfigFolder
) -> None:
    file = str(config_folder.cohort("twice", 3))
    first = await cli_env.mentorship("launch", file)
    assert first.code == 0, first.err
    assert "3 mentorships started" in first.out
    assert "first mails at once, to 6 people that day" in " ".join(first.out.split())
    before = await told(cli_env, "twice", people=6)
    assert len(before) == 6
    again = await cli_env.mentorship("launch", file, "--yes", "--json")
    assert again.json == {
        "cohort": "twice", "new": [], "known": 3, "unfinished_before": 0, "late": [], "new_people": [],
        "vanished_people": [], "changes": [], "vanished": [], "open_call": False, "warnings": [],
        "state": "nothing_to_do", "started": 0,
    }  # fmt: skip
    status = (await cli_env.mentorship("status", "twice", "--json")).json
    assert status[0]["counts"]["mentorships"] == {"running": 3}
    assert "Nothing to do." in (await cli_env.mentorship("launch", file)).out
    assert await told(cli_env, "twice") == before


async def test_a_dry_run_shows_and_does_nothing(cli_env: CliEnv, config_folder: ConfigFolder) -> None:
    said = await cli_env.mentorship("launch", str(config_folder.cohort("dry")), "--dry-run")
    assert said.code == 0
    assert "2  (m1, m2)" in said.out
    assert "first mails at once, to 4 people that day" in " ".join(said.out.split())
    later = config_folder.cohort("dry-later", start=date(today().year + 2, 3, 1))
    opens = (await cli_env.mentorship("launch", str(later), "--dry-run", "--json")).json["first_mails"]
    in_words = (await cli_env.mentorship("launch", str(later), "--dry-run")).out
    assert len(opens) == 4
    assert f"{opens[0][:10]} from {opens[0][11:16]} UTC, to 4 people that day" in in_words
    async with cli_env.database.session() as session:
        of_cohort = select(func.count()).where(MentorshipRow.cohort == "dry")
        assert await session.scalar(of_cohort) == 0
        assert await session.get(ParticipantRow, "dry-a1") is None
    assert (await cli_env.mentorship("status", "dry")).code == 2


async def test_a_late_joiner_begins_with_what_lies_ahead(cli_env: CliEnv, config_folder: ConfigFolder) -> None:
    path = config_folder.cohort("late", ["m1"])
    await cli_env.mentorship("launch", str(path), "--yes")
    start = today() - timedelta(days=64)
    later = config_folder.cohort("late", ["m1", "m2"])
    file = edited(later, ("{key: m2,", f"{{key: m2, start: {start},"))
    shown = await cli_env.mentorship("launch", file, "--dry-run")
    end, first = start + timedelta(days=182), start + timedelta(days=91 - 7)
    assert f"m2 joins late: it runs from {start:%a} {start} to {end:%a} {end}" in shown.out
    assert f"left out: Agreement, Fit check, Check-in 1; first: Midpoint on {first:%a} {first}" in shown.out
    assert (await cli_env.mentorship("launch", file, "--yes")).code == 0
    await accepted(cli_env, "late", ("a2", "b2"), "m2")
    timeline = (await cli_env.mentorship("show", "late/m2", "--json")).json
    ahead = [f"{step['name']} {step['number']}" for step in timeline["ahead"]]
    assert ahead[:3] == ["check_in 2", "midpoint 1", "check_in 3"]
    assert timeline["mentorship"]["end"] == end.isoformat()


# -- what is otherwise -------------------------------------------------------------------------------------------


async def test_changes_are_shown_and_made_once_they_are_wanted(cli_env: CliEnv, config_folder: ConfigFolder) -> None:
    path = config_folder.cohort("changes")
    await cli_env.mentorship("launch", str(path), "--yes")
    await told(cli_env, "changes", people=4)
    file = edited(
        path,
        ("title: Trial", "title: Another title"),
        ("Person a1, email: a1@", "Somebody Renamed, email: new@"),
        ("email: b1@changes.example.org}", "email: b1@changes.example.org, zone: Asia/Tokyo}"),
    )
    said = await cli_env.mentorship("launch", file)
    assert said.code == 2
    assert "write --yes as well" in said.err
    assert "the title: Trial → Another title" in said.out
    assert "the entry of changes-a1: another name and another address" in said.out
    edited(path, ("Somebody Renamed", "Person a1"))
    assert "Somebody" not in (await cli_env.mentorship("status", "changes")).out

    made = await cli_env.mentorship("launch", file, "--yes", "--json", "--why", "told by phone")
    assert made.code == 0, made.err
    assert made.json["state"] == "changed"
    assert [change["what"] for change in made.json["changes"]] == [
        "the title: Trial → Another title",
        "the address of changes-a1: a1@changes.example.org → new@changes.example.org",
        "the zone of changes-b1: UTC → Asia/Tokyo",
    ]

    async def moved() -> bool:
        state = await cli_env.client.get_workflow_handle("mentorship/changes/m1").query("state", result_type=dict)
        return [member["zone"] for member in state["members"]] == ["UTC", "Asia/Tokyo"]

    await cli_env.until(moved)
    assert "Nothing to do." in (await cli_env.mentorship("launch", file)).out
    async with cli_env.database.session() as session:
        person = await session.get_one(ParticipantRow, "changes-a1")
        event = (await session.scalars(select(EventRow).where(EventRow.name == "cohort_changed"))).one()
    assert person.email == "new@changes.example.org"
    assert (event.detail, event.by, event.why) == ("title", "changes-c1", "told by phone")


async def test_what_people_and_coordinators_have_changed_since_is_no_change_of_the_file(
    cli_env: CliEnv, config_folder: ConfigFolder
) -> None:
    path = config_folder.cohort("since", 1)
    await cli_env.mentorship("launch", str(path), "--yes")
    key = await declined(cli_env, "since")
    who = ("--with", "since-x1", "--name", "Ada Ng", "--email", "ada@since.example.org")
    await cli_env.mentorship("decide", key, "replace", *who)
    async with cli_env.database.begin() as session:
        await session.execute(
            update(ParticipantRow).where(ParticipantRow.id == "since-b1").values(zone="Asia/Tokyo", name="Bea")
        )
    again = await cli_env.mentorship("launch", str(path), "--yes", "--json")
    assert (again.json["changes"], again.json["state"]) == ([], "nothing_to_do")
    assert await seats(cli_env, "since") == {"a1": "out", "b1": "invited", "x1": "invited"}

    # The file follows, and is right for once; then the person moves on.
    file = edited(path, ("Person b1", "Bea"), with_person(path, "x1"), ("mentor: since-a1", "mentor: since-x1"))
    edited(path, ("id: since-x1, name: Person x1, email: x1@", "id: since-x1, name: Ada Ng, email: ada@"))
    assert (await cli_env.mentorship("launch", file, "--json")).json["state"] == "nothing_to_do"
    async with cli_env.database.begin() as session:
        await session.execute(update(ParticipantRow).where(ParticipantRow.id == "since-b1").values(name="Beatrice"))
    assert (await cli_env.mentorship("launch", file, "--json")).json["state"] == "nothing_to_do"


async def test_somebody_else_in_the_file_takes_the_seat(cli_env: CliEnv, config_folder: ConfigFolder) -> None:
    path = config_folder.cohort("seats")
    await cli_env.mentorship("launch", str(path), "--yes")
    await told(cli_env, "seats", people=4)
    file = edited(path, with_person(path, "x1"), ("mentee: seats-b1", "mentee: seats-x1"))
    shown = await cli_env.mentorship("launch", file, "--dry-run")
    assert "m1: seats-x1 takes the seat of seats-b1" in shown.out
    assert "m1 tells: Invitation to seats-x1" in shown.out
    assert await seats(cli_env, "seats") == {"a1": "invited", "b1": "invited"}
    made = await cli_env.mentorship("launch", file, "--yes", "--why", "b1 has moved away")
    assert made.code == 0, made.err
    assert "1 change made." in made.out
    assert "invitation to x1" in await told(cli_env, "seats", people=5)
    assert await seats(cli_env, "seats") == {"a1": "invited", "b1": "out", "x1": "invited"}
    assert "Nothing to do." in (await cli_env.mentorship("launch", file)).out
    async with cli_env.database.session() as session:
        [operation] = await session.scalars(select(OperationRow).where(OperationRow.cohort == "seats"))
    assert (operation.kind, operation.by, operation.why, operation.result) == (
        "replace", "seats-c1", "b1 has moved away", "done",
    )  # fmt: skip


async def test_a_group_gets_and_loses_members(cli_env: CliEnv, config_folder: ConfigFolder) -> None:
    path = config_folder.cohort("group", 2)
    program = config_folder.folder / "programs" / "trial.yaml"
    program.write_text(program.read_text().replace("format: one_to_one", "format: group"))
    edited(
        path,
        with_person(path, "x1"),
        ("  - {key: m2, mentor: group-a2, mentee: group-b2}\n", ""),
        ("mentee: group-b1", "mentees: [group-b1, group-b2]"),
    )
    assert (await cli_env.mentorship("launch", str(path), "--yes")).code == 0
    file = edited(path, ("[group-b1, group-b2]", "[group-b2, group-x1]"))
    made = await cli_env.mentorship("launch", file, "--yes", "--json")
    assert [change["what"] for change in made.json["changes"]] == [
        "group-x1 joins as mentee", "group-b1 is taken out",
    ]  # fmt: skip
    assert await seats(cli_env, "group") == {"a1": "invited", "b1": "out", "b2": "invited", "x1": "invited"}
    back = await cli_env.mentorship("launch", edited(path, ("[group-b2, ", "[group-b1, group-b2, ")), "--yes")
    assert back.code == 2
    assert "m1: group-b1 joins as mentee: group-b1 has left this mentorship and can't come back" in back.out


async def test_a_longer_program_extends_what_runs_and_a_shorter_one_does_not(
    cli_env: CliEnv, config_folder: ConfigFolder
) -> None:
    path = config_folder.cohort("longer")
    await cli_env.mentorship("launch", str(path), "--yes")
    program = config_folder.folder / "programs" / "trial.yaml"
    before = (await row(cli_env, "longer")).end
    program.write_text(program.read_text().replace("length: 26w", "length: 28w"))
    shown = await cli_env.mentorship("launch", str(path), "--dry-run")
    end = before + timedelta(days=14)
    assert "its program has another version, for mentorships that are new" in shown.out
    assert "m1: 2 weeks longer" in shown.out
    assert f"m1 ends {end:%a} {end} instead of {before:%a} {before}" in shown.out
    assert (await cli_env.mentorship("launch", str(path), "--yes")).code == 0
    assert [(await row(cli_env, "longer", key)).end for key in ("m1", "m2")] == [end, end]
    assert (await cli_env.mentorship("launch", str(path), "--json")).json["state"] == "nothing_to_do"

    program.write_text(program.read_text().replace("length: 28w", "length: 20w"))
    refused = await cli_env.mentorship("launch", str(path), "--yes")
    assert refused.code == 2
    assert "m1: 56 days shorter: launching makes nothing shorter; adopting the file does" in refused.out
    assert (await row(cli_env, "longer")).end == end
    assert (await cli_env.mentorship("launch", str(path), "--yes")).code == 2, "it stays said"


async def test_an_edited_program_holds_for_those_that_start_from_now_on(
    cli_env: CliEnv, config_folder: ConfigFolder
) -> None:
    path = config_folder.cohort("frozen", ["m1"])
    await cli_env.mentorship("launch", str(path), "--yes")
    before = await _promised(cli_env, "m1")
    program = config_folder.folder / "programs" / "trial.yaml"
    program.write_text(program.read_text().replace("reminders: [6d, 10d]", "reminders: [5d, 9d]"))
    assert (await cli_env.mentorship("launch", str(config_folder.cohort("frozen", ["m1", "m2"])), "--yes")).code == 0
    assert await _promised(cli_env, "m1") == before, "what it was promised, it keeps"
    other = await _promised(cli_env, "m2")
    assert other != before
    assert other[1]["phases"]["midpoint"]["window"]["reminders"] == [5, 9]


async def _promised(cli_env: CliEnv, key: str) -> tuple[str, dict[str, Any]]:
    """The version of its program that a mentorship has in the database, and what its workflow lives by."""
    state = await cli_env.client.get_workflow_handle(f"mentorship/frozen/{key}").query("state", result_type=dict)
    return (await row(cli_env, "frozen", key)).program_hash, state["program"]


async def test_what_cannot_be_done_is_refused_with_what_would_work(
    cli_env: CliEnv, config_folder: ConfigFolder
) -> None:
    path = config_folder.cohort("stays", 3)
    await cli_env.mentorship("launch", str(path), "--yes")
    key = await declined(cli_env, "stays", "a3", "m3")
    await cli_env.mentorship("decide", key, "end")
    file = edited(
        path,
        with_person(path, "x3"),
        ("zone: UTC", "zone: Europe/Berlin"),
        ("{key: m1,", f"{{key: m1, start: {today() + timedelta(days=40)},"),
        ("mentor: stays-a2, mentee: stays-b2", "mentor: stays-b2, mentee: stays-a2"),
        ("mentee: stays-b3", "mentee: stays-x3"),
    )
    said = await cli_env.mentorship("launch", file, "--yes", "--json")
    assert said.code == 2
    assert {change["id"]: change["refused"] for change in said.json["changes"] if change["refused"]} == {
        "stays": "it stays while the cohort runs: its dates are counted by it",
        "m1": "its start stays; a pause until a date moves everything that lies ahead",
        "m2": "roles stay; end it, and write a mentorship with a key of its own",
        "m3": "it is closed (never_started), and its record is final",
    }
    assert await seats(cli_env, "stays", "m2") == {"a2": "invited", "b2": "invited"}


async def test_others_coordinate_and_hear_of_what_is_open(cli_env: CliEnv, config_folder: ConfigFolder) -> None:
    path = config_folder.cohort("staff", 1)
    await cli_env.mentorship("launch", str(path), "--yes")
    key = await declined(cli_env, "staff")
    file = edited(
        path, ("- {id: staff-c1, name: Petra Novák, email: petra@", "- {id: staff-c2, name: Otto, email: o@")
    )
    made = await cli_env.mentorship("launch", file, "--yes", "--json")
    assert made.json["new_people"] == ["staff-c2"]
    assert [change["what"] for change in made.json["changes"]] == ["the coordinators: staff-c1 → staff-c2"]

    async def heard() -> bool:
        return "task_opened to c2" in await told(cli_env, "staff")

    await cli_env.until(heard)
    async with cli_env.database.session() as session:
        item = await session.get_one(ItemRow, f"{key}/staff-c1/task_opened")
    assert (item.state, item.reason) == ("dropped", "left"), "who coordinates no longer hears nothing more"
    said = await cli_env.mentorship("decide", key, "wait", "--as", "staff-c1")
    assert said.code == 2
    assert (await cli_env.mentorship("decide", key, "wait")).code == 0


async def test_changes_that_are_killed_half_way_are_finished_by_the_next_launch(
    cli_env: CliEnv, config_folder: ConfigFolder
) -> None:
    path = config_folder.cohort("killed", MANY)
    await cli_env.mentorship("launch", str(path), "--yes")
    changes = [with_person(path, f"x{n}") for n in range(1, MANY + 1)]
    changes += [(f"mentee: killed-b{n}}}", f"mentee: killed-x{n}}}") for n in range(1, MANY + 1)]
    file = edited(path, *changes)

    async def joined() -> int:
        async with cli_env.database.session() as session:
            newcomer = MembershipRow.person.like("killed-x%")
            return await session.scalar(select(func.count()).select_from(MembershipRow).where(newcomer)) or 0

    async def some() -> bool:
        return await joined() > 0

    async with process("launch", file, "--yes"):
        await cli_env.until(some)
    assert await joined() < MANY, "the launch was over before it was killed"
    assert (await cli_env.mentorship("launch", file, "--yes")).code == 0
    assert await joined() == MANY
    everybody = await told(cli_env, "killed", people=3 * MANY)
    assert sorted(one for one in everybody if " to x" in one) == sorted(
        f"invitation to x{n}" for n in range(1, MANY + 1)
    )
    assert (await cli_env.mentorship("launch", file, "--json")).json["state"] == "nothing_to_do"
    async with cli_env.database.session() as session:
        events = select(func.count()).select_from(EventRow).where(EventRow.cohort == "killed")
        assert await session.scalar(events.where(EventRow.name == "replaced")) == MANY


# -- what has vanished -------------------------------------------------------------------------------------------


async def test_what_has_vanished_goes_on_and_ends_only_when_wanted(
    cli_env: CliEnv, config_folder: ConfigFolder
) -> None:
    await cli_env.mentorship("launch", str(config_folder.cohort("grows", ["m1", "m2"])), "--yes")
    await accepted(cli_env, "grows", ("a1",))
    file = str(config_folder.cohort("grows", ["m2", "m3"]))
    said = await cli_env.mentorship("launch", file, "--yes", "--json")
    assert (said.json["new"], said.json["known"], said.json["vanished"]) == (["m3"], 1, ["m1"])
    assert said.json["vanished_people"] == ["grows-a1", "grows-b1"]
    status = (await cli_env.mentorship("status", "grows", "--json")).json
    assert {line["key"]: line["state"] for line in status[0]["mentorships"]} == dict.fromkeys(
        ("m1", "m2", "m3"), "running"
    )
    shown = await cli_env.mentorship("launch", file, "--end-missing", "--dry-run")
    assert "m1: no longer in the file, ends early (no_fault)" in shown.out
    assert "m1 tells: Not starting to grows-a1" in shown.out
    assert "--end-missing ends them" in (await cli_env.mentorship("launch", file)).out
    asked = await cli_env.mentorship("launch", file, "--end-missing")
    assert (asked.code, (await row(cli_env, "grows")).state) == (2, "running")

    ended = await cli_env.mentorship("launch", file, "--end-missing", "--yes")
    assert ended.code == 0, ended.err
    assert (await row(cli_env, "grows")).ending == "never_started"
    assert "not_starting to a1" in await told(cli_env, "grows")
    assert "not_starting to b1" not in await told(cli_env, "grows")
    assert (await cli_env.mentorship("launch", file, "--end-missing", "--json")).json["state"] == "nothing_to_do"


# -- what is refused whole ---------------------------------------------------------------------------------------


async def test_a_bad_file_starts_nothing_and_every_fault_is_shown(
    cli_env: CliEnv, config_folder: ConfigFolder
) -> None:
    path = config_folder.cohort("bad")
    edited(path, ("mentor: bad-a1", "mentor: bad-b1"), ("zone: UTC", "zone: Mars/Base"))
    said = await cli_env.mentorship("launch", str(path), "--yes")
    assert said.code == 1
    assert f"{path}:5:7:" in said.err
    assert f"{path}:14:" in said.err
    assert (await cli_env.mentorship("status", "bad")).code == 2


async def test_an_id_that_belongs_to_somebody_else_is_refused_before_anything_is_written(
    cli_env: CliEnv, config_folder: ConfigFolder
) -> None:
    await cli_env.mentorship("launch", str(config_folder.cohort("known", 1)), "--yes")
    path = config_folder.cohort("other", 1)
    file = edited(path, ("id: other-a1,", "id: known-a1,"), ("mentor: other-a1", "mentor: known-a1"))
    said = await cli_env.mentorship("launch", file, "--yes")
    assert said.code == 2
    assert "known already with another email address: known-a1" in said.err
    assert (await cli_env.mentorship("status", "other")).code == 2


async def test_an_id_that_another_database_has_used_is_refused_with_what_to_do(
    cli_env: CliEnv, config_folder: ConfigFolder, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = str(config_folder.cohort("reused"))
    await cli_env.mentorship("launch", file, "--yes")

    async def found() -> bool:
        return (await cli_env.client.count_workflows("Cohort = 'reused'")).count == 2

    await cli_env.until(found)
    monkeypatch.setenv("MENTORSHIP_DATABASE_URL", f"sqlite+aiosqlite:///{tmp_path}/new.db")
    migrate(f"sqlite+aiosqlite:///{tmp_path}/new.db")
    said = await cli_env.mentorship("launch", file, "--yes")
    assert said.code == 2
    assert "Temporal holds mentorships of reused that another database has launched: m1, m2" in said.err
    assert "temporal workflow delete --query \"Cohort = 'reused'" in said.err
    async with Database.open(f"sqlite+aiosqlite:///{tmp_path}/new.db") as database, database.session() as session:
        assert await session.scalar(select(func.count()).select_from(MentorshipRow)) == 0


async def test_a_launch_without_temporal_writes_nothing(
    cli_env: CliEnv, config_folder: ConfigFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", "127.0.0.1:9")
    file = str(config_folder.cohort("away"))
    said = await cli_env.mentorship("launch", file, "--yes")
    assert said.code == 3
    assert (await cli_env.mentorship("status", "away")).code == 2
    assert "2  (m1, m2)" in (await cli_env.mentorship("launch", file, "--dry-run")).out


async def test_warnings_are_repeated_and_want_a_yes(cli_env: CliEnv, config_folder: ConfigFolder) -> None:
    path = config_folder.cohort("odd")
    path.write_text(
        path.read_text().replace("participants:", "participants:\n  - {id: odd-x, name: Y, email: y@odd.org}")
    )
    said = await cli_env.mentorship("launch", str(path))
    assert said.code == 2
    assert "warning: `odd-x` is in no mentorship" in said.err
    assert "the file has warnings: write --yes as well" in said.err
    assert (await cli_env.mentorship("status", "odd")).code == 2
    done = await cli_env.mentorship("launch", str(path), "--yes", "--json")
    assert done.code == 0, done.err
    assert [one["problem"] for one in done.json["warnings"]] == ["`odd-x` is in no mentorship and will hear nothing"]
