"""The variables of this process: those of its environment, and below them those of the `.env` file beside it.

`Settings` reads `.env` itself. What others read from the environment (Temporal's SDK, OpenTelemetry) goes through
here, so that one file configures every command and every process alike.
"""

from __future__ import annotations

import os

from dotenv import dotenv_values

ENV_FILE = ".env"
"""In the current folder. A variable that is empty there counts as not set."""


def environment() -> dict[str, str]:
    """All variables by name; the environment of the process wins over the file."""
    in_file = {name: value for name, value in dotenv_values(ENV_FILE, encoding="utf-8").items() if value}
    return in_file | dict(os.environ)
