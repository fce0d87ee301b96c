"""Every command that changes something leaves its row in the audit, and so does every look at what is kept apart."""

from __future__ import annotations

import json
from pathlib import Path

from cli.main import COMMANDS
from mail.wording import SHIPPED
from operations import audit
from operations.audit import AuditFilters, AuditLine
from testing.environments.cli_env import ConfigFolder
from tests.cli.conftest import CliEnv, declined
from tests.cli.test_launch import told

READING = {
    "validate", "plan", "preview", "match", "rehearse", "status", "show", "ledger", "tasks", "doctor", "messages",
    "report", "export-cohort",
}  # fmt: skip
"""Commands that change nothing."""
OWN_TESTS = {"applicants", "giving-back", "publish", "voices"}
"""Commands that need more than this cohort."""
PROCESSES = {"up", "worker", "web"}
"""Commands that run until they are stopped."""
NAME = "audited"


async def lines(cli_env: CliEnv) -> list[AuditLine]:
    """The audit, the earliest first."""
    found, _ = await audit.look(cli_env.database, AuditFilters(), most=1000)
    return found[::-1]


async def test_every_changing_command_leaves_a_row(
    cli_env: CliEnv, config_folder: ConfigFolder, tmp_path: Path
) -> None:
    program = config_folder.folder / "programs" / "trial.yaml"
    program.write_text(program.read_text().replace("format: one_to_one", "format: group"))
    path = config_folder.cohort(NAME, 6)
    written = path.read_text()
    for key in (1, 2, 3):
        written = written.replace(f"mentee: {NAME}-b{key}", f"mentees: [{NAME}-b{key}, {NAME}-b{key + 3}]")
        written = written.replace(
            f"  - {{key: m{key + 3}, mentor: {NAME}-a{key + 3}, mentee: {NAME}-b{key + 3}}}\n", ""
        )
    path.write_text(written)
    returned = tmp_path / "returned.eml"
    returned.write_text("From: somebody@example.org\nSubject: hello\n\nNo report at all.\n")
    letter = tmp_path / "letter.md"
    letter.write_text("Dear Ada Canary, see you soon.\n")
    mails = tmp_path / "mails" / "en"
    mails.mkdir(parents=True)
    mails.joinpath("farewell.md").write_text(
        (SHIPPED / "en" / "farewell.md").read_text("utf-8") + "\nBye.\n", "utf-8"
    )
    await cli_env.mentorship("launch", str(path), "--yes", "--why", "it begins")
    await told(cli_env, NAME, people=9)
    task = await declined(cli_env, NAME, person="a2", key="m2")
    who = ("--name", "Ada Canary", "--email", "canary@example.org")
    for words in (
        ("pause", f"{NAME}/m3", "--until", "3w"),
        ("resume", f"{NAME}/m3"),
        ("extend", f"{NAME}/m3", "--by", "2w"),
        ("nudge", f"{NAME}/m3"),
        ("release", "--cohort", NAME, "--yes"),
        ("adopt", "--file", str(path), "--yes"),
        ("add", f"{NAME}-x1", "--mentorship", f"{NAME}/m1", *who),
        ("remove", f"{NAME}-b4", "--mentorship", f"{NAME}/m1", "--yes"),
        ("replace", f"{NAME}-b3", "--with", f"{NAME}-x1", "--yes"),
        ("leave", f"{NAME}-x1", "--mentorship", f"{NAME}/m1", "--yes"),
        ("decide", task, "end"),
        ("end", f"{NAME}/m3", "--reason", "no_fault", "--yes"),
        ("note", f"{NAME}/m1", "Ask Ada Canary in July"),
        ("reword", NAME, "--from", str(mails.parent), "--yes"),
        ("send-link", f"{NAME}-a1"),
        ("correct", f"{NAME}-a1", "--zone", "Europe/Berlin"),
        ("erase", f"{NAME}-b1", "--yes"),
        ("bounces", str(returned)),
        ("message", NAME, "--subject", "A word", "--file", str(letter), "--yes"),
        ("answers", NAME, "--csv"),
        ("answers", NAME, "--concerns", "--as", f"{NAME}-c1"),
        ("show", f"{NAME}/m1", "--concerns", "--as", f"{NAME}-c1"),
        ("cancel-cohort", NAME, "--confirm", NAME),
        ("reconcile",),
        ("backup", "--recorded"),
        ("sign-in",),
        ("register",),
        ("migrate",),
    ):
        before = await lines(cli_env)
        said = await cli_env.mentorship(*words)
        *drafted, line = (await lines(cli_env))[len(before) :]
        assert [one.what for one in drafted] == (["write-message"] if words[0] == "message" else [])
        assert line.what.split()[0] == words[0], said.err
        assert line.proof == audit.COMMAND_LINE
        assert said.code == 0 or words[0] == "release", said.err
    found = await lines(cli_env)
    changing = {name for names in COMMANDS.values() for name in names} - READING - PROCESSES - OWN_TESTS
    assert changing == {line.what.split()[0] for line in found} - {"write-message", "show"}
    assert {"answers --concerns", "show --concerns"} <= {line.what for line in found}
    launch = next(line for line in found if line.what == "launch")
    assert (launch.reason, launch.cohort, launch.count) == ("it begins", NAME, 3)
    pause = next(line for line in found if line.what == "pause")
    assert (pause.by, pause.ids) == (f"{NAME}-c1", (f"{NAME}/m3",))
    everything = json.dumps([[str(value) for value in line.ids] + [line.by, line.result] for line in found])
    assert "Canary" not in everything
    assert "@" not in everything


async def test_what_changes_nothing_leaves_no_row(cli_env: CliEnv, config_folder: ConfigFolder) -> None:
    path = config_folder.cohort("unaudited", 1)
    await cli_env.mentorship("launch", str(path), "--yes")
    before = await lines(cli_env)
    for words in (
        ("launch", str(path), "--dry-run"),
        ("pause", "unaudited/m1", "--dry-run"),
        ("erase", "unaudited-a1", "--dry-run"),
        ("correct", "unaudited-a1", "--zone", "Asia/Tokyo", "--dry-run"),
        ("cancel-cohort", "unaudited", "--dry-run"),
        ("reconcile", "--dry-run"),
        ("answers", "unaudited"),
        ("status",),
    ):
        said = await cli_env.mentorship(*words)
        assert said.code == 0, said.err
    assert await lines(cli_env) == before
