"""What stands beside the compose file: the reverse proxy, the systemd units, the images pinned by digest."""

from __future__ import annotations

import json
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import pytest
from ruamel.yaml import YAML

from program.limits import BODY_BYTES
from runtime.settings import Settings
from testing.servers.dev_server import free_port
from tests.deploy.test_compose import COMMANDS, COMPOSE, DOCKERFILE, ROOT, SERVICES

CADDYFILE = ROOT / "deploy" / "caddy" / "Caddyfile"
UNITS = sorted((ROOT / "deploy" / "systemd").glob("*.service"))
TOKEN = "4kX9q2mZ7vB1.1.a-key-that-opens-a-form"


def units(text: str) -> dict[str, list[str]]:
    """The settings of a unit, each with all its values."""
    found: dict[str, list[str]] = {}
    for name, value in re.findall(r"^(\w+)=(.*)$", text, re.MULTILINE):
        found.setdefault(name, []).append(value)
    return found


# -- pinned by digest --------------------------------------------------------------------------------------------


def script() -> Any:
    """deploy/pin-images, as a module."""
    loader = SourceFileLoader("pin_images", str(ROOT / "deploy" / "pin-images"))
    spec = spec_from_loader("pin_images", loader)
    assert spec is not None
    module = module_from_spec(spec)
    loader.exec_module(module)
    return module


class Registry(BaseHTTPRequestHandler):
    """A registry as Docker Hub is: it hands a token to everybody, and answers only with one."""

    def do_HEAD(self) -> None:
        """A manifest."""
        if self.headers.get("Authorization") != "Bearer for-everybody":
            port = self.server.server_address[1]  # pyright: ignore[reportIndexIssue]
            self.send_response(401)
            realm = f"http://127.0.0.1:{port}/token"
            self.send_header("WWW-Authenticate", f'Bearer realm="{realm}",service="registry",scope="pull"')
        elif "missing" in self.path or "image.index" not in self.headers["Accept"]:
            self.send_response(404)
        else:
            self.send_response(200)
            self.send_header("Docker-Content-Digest", f"sha256:{sha256(self.path.encode()).hexdigest()}")
        self.end_headers()

    def do_GET(self) -> None:
        """A token."""
        assert self.path == "/token?service=registry&scope=pull"
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps({"token": "for-everybody"}).encode())

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


@contextmanager
def registry() -> Iterator[str]:
    """A running registry: its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Registry)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


def moved(folder: Path, address: str) -> None:
    """Our compose file and Dockerfile, with all their images in another registry."""
    compose = re.sub(r"(?m)^(    image: )([^$\s]+)$", rf"\g<1>{address}/\g<2>", COMPOSE.read_text())
    (folder / "docker-compose.yml").write_text(compose)
    (folder / "Dockerfile").write_text(re.sub(r"(?m)^FROM (\S+)", rf"FROM {address}/\g<1>", DOCKERFILE.read_text()))


def test_every_image_is_pinned_by_the_digest_that_its_registry_names(tmp_path: Path) -> None:
    with registry() as address:
        moved(tmp_path, address)
        written = YAML(typ="safe").load(script().pinned(tmp_path, scheme="http"))["services"]
    assert written.keys() == SERVICES.keys()
    for name, service in SERVICES.items():
        if "build" in service:
            contexts = written[name]["build"]["additional_contexts"]
            bases = set(re.findall(r"(?m)^FROM (\S+)", (tmp_path / "Dockerfile").read_text()))
            assert contexts.keys() == bases, "the base of our own image is pinned as well"
            pinned = [value.removeprefix("docker-image://") for value in contexts.values()]
        else:
            pinned = [written[name]["image"]]
            assert pinned[0].startswith(f"{address}/{service['image']}@")
        for image in pinned:
            path = "/v2/{}/manifests/{}".format(*script().parts(image.partition("@")[0])[1:])
            assert image.endswith(f"@sha256:{sha256(path.encode()).hexdigest()}")


def test_an_image_that_the_registry_does_not_have_is_named_and_nothing_is_written(tmp_path: Path) -> None:
    with registry() as address:
        moved(tmp_path, address)
        compose = tmp_path / "docker-compose.yml"
        compose.write_text(compose.read_text().replace("prom/prometheus:", "prom/missing:"))
        with pytest.raises(SystemExit, match=r"prom/missing:\S+: HTTP Error 404.*Nothing was written"):
            script().pinned(tmp_path, scheme="http")


@pytest.mark.parametrize(
    ("image", "found"),
    [
        ("postgres:17.6-alpine", ("registry-1.docker.io", "library/postgres", "17.6-alpine")),
        ("temporalio/server:1.32.0", ("registry-1.docker.io", "temporalio/server", "1.32.0")),
        ("ghcr.io/a/b:1", ("ghcr.io", "a/b", "1")),
        ("127.0.0.1:5000/a", ("127.0.0.1:5000", "a", "latest")),
    ],
)
def test_names_of_images_are_read_as_docker_reads_them(image: str, found: tuple[str, str, str]) -> None:
    assert script().parts(image) == found


# -- under systemd -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_a_unit_runs_a_command_of_ours_with_secrets_that_there_are(path: Path) -> None:
    unit = units(path.read_text())
    [start] = unit["ExecStart"]
    assert start.split()[0] == "/opt/mentorship-engine/.venv/bin/mentorship"
    assert start.split()[1] in COMMANDS
    assert "MENTORSHIP_SECRETS_DIR=%d" in " ".join(unit["Environment"])
    makes = (ROOT / "deploy" / "make-secrets").read_text()
    for credential in unit["LoadCredential"]:
        name, _, file = credential.partition(":")
        assert file == f"/etc/mentorship/secrets/{name}"
        assert f"keep {name}\n" in makes
        assert name.removeprefix("mentorship_") in Settings.model_fields


def test_the_units_differ_in_what_they_run_and_not_in_what_they_may_do() -> None:
    own = {"Description", "ExecStart", "TimeoutStopSec", "Environment"}
    shared = [{name: value for name, value in units(path.read_text()).items() if name not in own} for path in UNITS]
    assert len(UNITS) == 3
    assert all(one == shared[0] for one in shared)


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="no systemd here")
@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_systemd_finds_no_mistake_in_a_unit(path: Path, tmp_path: Path) -> None:
    copy = tmp_path / path.name
    copy.write_text(path.read_text().replace("/opt/mentorship-engine/.venv/bin/mentorship", "/bin/true"))
    done = subprocess.run(["systemd-analyze", "verify", copy], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


# -- behind a proxy ----------------------------------------------------------------------------------------------


class Pages(BaseHTTPRequestHandler):
    """Says what reached it."""

    def do_GET(self) -> None:
        """Path and headers."""
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps({"path": self.path, **dict(self.headers)}).encode())

    do_POST = do_GET

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


@pytest.mark.skipif(not shutil.which("caddy"), reason="no Caddy here")
def test_the_proxy_hands_on_what_the_pages_need_and_logs_no_key(tmp_path: Path) -> None:
    caddy, pages, ui = free_port(), ThreadingHTTPServer(("127.0.0.1", 0), Pages), free_port()
    Thread(target=pages.serve_forever, daemon=True).start()
    hashed = subprocess.run(
        ["caddy", "hash-password", "--plaintext", "secret"], capture_output=True, text=True, check=True
    )
    environment = {
        "PATH": "/usr/bin:/usr/local/bin:/bin", "HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path),
        "PAGES_SITE": f"http://127.0.0.1:{caddy}", "PAGES": f"127.0.0.1:{pages.server_address[1]}",
        "TEMPORAL_UI_SITE": f"http://127.0.0.1:{ui}", "TEMPORAL_UI": f"127.0.0.1:{pages.server_address[1]}",
        "TEMPORAL_UI_PASSWORD_HASH": hashed.stdout.strip(),
    }  # fmt: skip
    # Its own port for administration is taken where another Caddy runs.
    config = tmp_path / "Caddyfile"
    config.write_text(CADDYFILE.read_text().replace("{\n\t# Links", "{\n\tadmin off\n\t# Links", 1))
    with (tmp_path / "log").open("wb") as log:
        running = subprocess.Popen(["caddy", "run", "--config", config], env=environment, stderr=log, stdout=log)
    try:
        _wait_for(caddy)
        base, forged = f"http://127.0.0.1:{caddy}", {"X-Forwarded-For": "203.0.113.9"}
        reached = httpx.get(f"{base}/f/{TOKEN}?state=fine", headers=forged).json()
        assert reached["path"] == f"/f/{TOKEN}?state=fine"
        assert reached["X-Forwarded-For"] == "127.0.0.1", "one proxy, and no address that a caller made up"
        assert reached["Host"] == f"127.0.0.1:{caddy}"
        assert httpx.post(f"{base}/f/{TOKEN}", content=b"x" * BODY_BYTES).status_code == 200
        assert httpx.get(f"http://127.0.0.1:{ui}/namespaces").status_code == 401
        assert httpx.get(f"http://127.0.0.1:{ui}/namespaces", auth=("ops", "secret")).status_code == 200
        pages.shutdown()
        pages.server_close()
        assert httpx.get(f"{base}/f/{TOKEN}", timeout=30).status_code == 502
    finally:
        running.terminate()
        running.wait(10)
    said = (tmp_path / "log").read_text()
    assert "connection refused" in said, "it says that the pages are away"
    assert TOKEN not in said


def _wait_for(port: int) -> None:
    for _ in range(200):
        with socket.socket() as client:
            client.settimeout(0.1)
            if client.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError("Caddy did not start")
