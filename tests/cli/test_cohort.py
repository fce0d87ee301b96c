"""A cohort as its coordinator runs it from a terminal: looked at, decided. Temporal, SQL, mail are real."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from store.tables import OperationRow, ParticipantRow, TaskRow
from testing.environments.cli_env import CommandResult, ConfigFolder, mentorship, today
from tests.cli.conftest import CliEnv, declined, invited


async def task_row(cli_env: CliEnv, key: str) -> TaskRow:
    """A task as the store has it."""
    async with cli_env.database.session() as session:
        return await session.get_one(TaskRow, key)


# -- looking at it -----------------------------------------------------------------------------------------------


async def test_status_show_and_ledger_tell_of_a_cohort_that_runs(
    cli_env: CliEnv, config_folder: ConfigFolder
) -> None:
    names = {"a1": "Ada [Boss] Byron"}
    await cli_env.mentorship(
        "launch", str(config_folder.cohort("looks", names={"a1": '"Ada [Boss] Byron"'})), "--yes"
    )
    await invited(cli_env, "looks", 4)
    said = await cli_env.mentorship("status", "looks")
    assert names["a1"] in said.out, "brackets in a name are no markup"
    assert "Onboarding" in said.out
    assert "Introduction " in said.out
    assert "2 running" in said.out
    awaited = (await cli_env.mentorship("status", "looks", "--awaiting", "--person", "looks-b2", "--json")).json
    [line] = awaited[0]["mentorships"]
    assert [person["id"] for person in line["awaited"]] == ["looks-a2", "looks-b2"]
    assert line["next_step"] == "introduction 1"
    assert (await cli_env.mentorship("status", "looks", "--phase", "closure", "--json")).json[0]["mentorships"] == []

    shown = await cli_env.mentorship("show", "looks/m1")
    assert "Request: Invitation" in shown.out
    assert "Check-in 1" in shown.out
    timeline = (await cli_env.mentorship("show", "looks/m1", "--json")).json
    assert {one["what"] for one in timeline["happened"]} == {"mail"}
    assert timeline["ahead"][0]["name"] == "invitation"

    ledger = await cli_env.mentorship("ledger", "looks", "--json")
    assert sorted(ledger.json) == ["answers", "dropped", "endings", "mails", "steps", "tasks"]
    assert len(ledger.json["mails"]) == 4
    assert "Byron" not in ledger.out
    assert "example.org" not in ledger.out


async def test_a_key_alone_is_enough_where_it_is_clear(cli_env: CliEnv, config_folder: ConfigFolder) -> None:
    await cli_env.mentorship("launch", str(config_folder.cohort("one", ["m70", "m71"])), "--yes")
    await cli_env.mentorship("launch", str(config_folder.cohort("two", ["m71", "m72"])), "--yes")
    assert (await cli_env.mentorship("show", "m72", "--json")).json["mentorship"]["cohort"] == "two"
    said = await cli_env.mentorship("show", "m71")
    assert said.code == 2
    assert "one/m71" in said.err
    assert "two/m71" in said.err
    near = await cli_env.mentorship("show", "one/m79")
    assert near.code == 2
    assert "there is no mentorship 'one/m79'" in near.err


async def test_a_person_is_found_by_id_address_or_name(cli_env: CliEnv, config_folder: ConfigFolder) -> None:
    path = config_folder.cohort("named", ["m1", "m2"], names={"a1": "Öykü Çelik", "b1": "Bo Li"})
    await cli_env.mentorship("launch", str(path), "--yes")
    for who in ("named-a1", "A1@named.example.org", "Öykü Çelik"):
        listed = (await cli_env.mentorship("status", "named", "--person", who, "--json")).json
        assert [line["key"] for line in listed[0]["mentorships"]] == ["m1"], who
        shown = await cli_env.mentorship("show", who, "--json")
        assert shown.json["mentorship"]["key"] == "m1", who
    nobody = await cli_env.mentorship("status", "--person", "named-a9")
    assert (nobody.code, nobody.out) == (2, "")
    assert "there is no person 'named-a9'; did you mean named-a" in nobody.err
    unknown = await cli_env.mentorship("show", "Quux")
    assert unknown.code == 2
    assert "there is no mentorship 'Quux'" in unknown.err
    paused = await cli_env.mentorship("pause", "--person", "Bo Li", "--until", "3w", "--dry-run", "--json")
    assert [one["mentorship"] for one in paused.json["mentorships"]] == ["named/m1"]


async def test_a_person_in_several_mentorships_is_shown_which(cli_env: CliEnv, config_folder: ConfigFolder) -> None:
    path = config_folder.cohort("several", ["m1", "m2"])
    path.write_text(path.read_text().replace("mentor: several-a2", "mentor: several-a1"))
    await cli_env.mentorship("launch", str(path), "--yes")
    said = await cli_env.mentorship("show", "Person a1")
    assert said.code == 2, said.out
    assert "(several-a1) takes part in several mentorships; write one of several/m1, several/m2" in said.err


# -- tasks and decisions -----------------------------------------------------------------------------------------


async def test_a_task_is_listed_decided_and_on_the_record(cli_env: CliEnv, config_folder: ConfigFolder) -> None:
    await cli_env.mentorship("launch", str(config_folder.cohort("decides", 1)), "--yes")
    key = await declined(cli_env, "decides")
    listed = await cli_env.mentorship("tasks", "decides")
    assert "Seat empty" in listed.out
    assert f"mentorship decide {key} wait" in listed.out
    assert (await cli_env.mentorship("tasks", "decides", "--json")).json[0]["decisions"] == ["wait", "replace", "end"]

    assert (await cli_env.mentorship("answers", "decides")).out == "Nothing has been answered yet.\n"
    assert (await cli_env.mentorship("answers", "decided")).code == 2
    timeline = await cli_env.mentorship("show", "decides/m1", "--answers", "--json")
    assert timeline.json["answers"] == []

    said = await cli_env.mentorship("decide", key, "end", "--why", "nobody else is there")
    assert said.code == 0, said.err
    row = await task_row(cli_env, key)
    assert (row.decision, row.by, row.why) == ("end", "decides-c1", "nobody else is there")
    async with cli_env.database.session() as session:
        operation = (await session.scalars(select(OperationRow).where(OperationRow.cohort == "decides"))).one()
    assert (operation.kind, operation.by, operation.result) == ("decide", "decides-c1", "done")
    assert operation.why == "nobody else is there"
    assert "nobody else is there" in (await cli_env.mentorship("show", "decides/m1")).out
    assert (await cli_env.mentorship("tasks", "decides")).out == "Nothing waits for a decision.\n"
    status = (await cli_env.mentorship("status", "decides", "--json")).json[0]["mentorships"][0]
    assert status["ending"] == "never_started"


async def test_the_same_decision_twice_is_one_and_another_one_is_refused(
    cli_env: CliEnv, config_folder: ConfigFolder
) -> None:
    await cli_env.mentorship("launch", str(config_folder.cohort("again", 1)), "--yes")
    key = await declined(cli_env, "again")
    assert not (await cli_env.mentorship("decide", key, "wait", "--json")).json["before"]
    assert (await cli_env.mentorship("decide", key, "wait", "--json")).json["before"]
    other = await cli_env.mentorship("decide", key, "end")
    assert other.code == 2
    assert f"this task is closed: wait on {today()} by again-c1" in other.err
    assert (await task_row(cli_env, key)).decision == "wait"


@pytest.fixture(scope="module")
async def empty_seat(cli_env: CliEnv, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The key of a task: somebody declined."""
    file = ConfigFolder.at(tmp_path_factory.mktemp("refuses") / "config").cohort("refuses", 1)
    await cli_env.mentorship("launch", str(file), "--yes")
    return await declined(cli_env, "refuses")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["pause"], "a task of kind seat_empty can be decided wait, replace, end; not 'pause'"),
        (["wait", "--until", "3w"], "Leave --until out"),
        (["wait", "--with", "x1"], "Leave --with out"),
        (
            ["wait", "--as", "somebody"],
            "no coordinator or deputy of refuses; there are refuses-c1",
        ),
        (["replace"], "say who takes the seat\nWrite --with ID"),
        (["replace", "--with", "x1"], "x1 is not known yet; add a name and an address"),
        (["replace", "--with", "x 1", "--name", "X", "--email", "x@example.org"], "'x 1' is no id"),
        (["replace", "--with", "x1", "--name", "X", "--email", "nowhere"], "'nowhere' is no address"),
        (["replace", "--with", "x1", "--name", "X", "--email", "x@y.org", "--zone", "Mars"], "'Mars' is no zone"),
        (["replace", "--with", "x1", "--name", "X", "--email", "B1@Refuses.example.org"], "known as refuses-b1"),
        (["replace", "--with", "refuses-b1"], "refuses-b1 has a seat in this mentorship already"),
        (["wait", "--name", "X"], "write --with ID as well"),
    ],
)
async def test_a_decision_that_makes_no_sense_is_refused_with_a_reason(
    cli_env: CliEnv, empty_seat: str, words: list[str], says: str
) -> None:
    said = await cli_env.mentorship("decide", empty_seat, *words)
    assert said.code == 2
    assert says in said.err
    assert (await task_row(cli_env, empty_seat)).decision == ""
    async with cli_env.database.session() as session:
        assert await session.get(ParticipantRow, "x1") is None


async def test_somebody_new_takes_a_seat_and_is_invited(cli_env: CliEnv, config_folder: ConfigFolder) -> None:
    await cli_env.mentorship("launch", str(config_folder.cohort("joins", 1)), "--yes")
    await invited(cli_env, "joins", 2)
    key = await declined(cli_env, "joins")
    who = ("--with", "joins-x1", "--name", "Ada Ng", "--email", "ada@joins.example.org", "--zone", "Asia/Tokyo")
    said = await cli_env.mentorship("decide", key, "replace", *who)
    assert said.code == 0, said.err
    await cli_env.until(lambda: bool(cli_env.sink.mails_to("ada@joins.example.org")))
    [mail] = cli_env.sink.mails_to("ada@joins.example.org")
    assert "Ada" in mail.text
    people = (await cli_env.mentorship("status", "joins", "--json")).json[0]["mentorships"][0]["people"]
    assert {person["id"]: person["standing"] for person in people} == {
        "joins-a1": "out", "joins-b1": "invited", "joins-x1": "invited",
    }  # fmt: skip


async def test_nothing_of_a_person_or_a_reason_reaches_temporal(cli_env: CliEnv, config_folder: ConfigFolder) -> None:
    await cli_env.mentorship(
        "launch", str(config_folder.cohort("private", 1, names={"a1": "Quillon Vesperby"})), "--yes"
    )
    key = await declined(cli_env, "private")
    who = ("--with", "private-x1", "--name", "Ondine Kestrelby", "--email", "ondine@private.example.org")
    await cli_env.mentorship("decide", key, "replace", *who, "--why", "a secret between us", "--as", "Petra Novák")
    history = await cli_env.client.get_workflow_handle("mentorship/private/m1").fetch_history()
    told = b"".join(event.SerializeToString() for event in history.events)
    assert b"private-x1" in told
    for word in (b"Quillon", b"Ondine", b"example.org", b"Petra", b"a secret"):
        assert word not in told


async def test_a_task_that_is_not_there_is_answered_with_one_that_is(cli_env: CliEnv, empty_seat: str) -> None:
    said = await cli_env.mentorship("decide", empty_seat.replace("refuses/m1", "refuses/m2"), "wait")
    assert said.code == 2
    assert f"did you mean {empty_seat}?" in said.err


# -- what does not answer ----------------------------------------------------------------------------------------


async def test_while_temporal_is_down_nothing_is_decided_and_nothing_is_lost(
    cli_env: CliEnv, empty_seat: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", "127.0.0.1:9")
    said = await cli_env.mentorship("decide", empty_seat, "wait")
    assert said.code == 3
    assert "Temporal does not answer at 127.0.0.1:9" in said.err
    assert (await task_row(cli_env, empty_seat)).decision == ""


def test_without_a_database_every_command_says_what_to_do(
    installation: pytest.MonkeyPatch, config_folder: ConfigFolder
) -> None:
    said: CommandResult = mentorship("status")
    for words in (
        ["status"],
        ["show", "a/m1"],
        ["tasks"],
        ["ledger", "a"],
        ["launch", str(config_folder.cohort("a"))],
    ):
        said = mentorship(*words)
        assert said.code == 3, words
        assert "mentorship migrate" in said.err
    assert mentorship("migrate").code == 0
    assert "Up to date already" in mentorship("migrate").out
    said = mentorship("status")
    assert said.code == 0
    assert "No cohort was launched yet" in said.out
    assert mentorship("ledger", "a").err.startswith("✗ there is no cohort 'a'; none was launched yet")
