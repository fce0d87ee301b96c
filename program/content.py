"""The hash of what a program says: the one name by which a version of it is known, in files and in the store.

Must stay the same for the same content, or a cohort that is launched again would seem to have changed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from program.forms import Form
from program.models import Program


def content_hash(program: Program, forms: Mapping[str, Form]) -> str:
    """SHA-256 of what a program says, forms included: the same for the same content, whatever its comments."""
    return hash_of(
        program.model_dump(mode="json"), {id_: form.model_dump(mode="json") for id_, form in forms.items()}
    )


def hash_of(program: Mapping[str, Any], forms: Mapping[str, Any]) -> str:
    """The same of a program and its forms as JSON: what pydantic dumps."""
    content = {"program": program, "forms": forms}
    return hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=False).encode()).hexdigest()
