"""How what workflows and activities say to each other becomes JSON and is read back: by pydantic, for every client
and worker of ours alike.

The SDK makes a converter for every workflow in memory; here they share what costs most, the readers of our types.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import Any

from pydantic import TypeAdapter
from temporalio.api.common.v1 import Payload
from temporalio.contrib.pydantic import PydanticJSONPlainPayloadConverter, pydantic_data_converter
from temporalio.converter import CompositePayloadConverter, DefaultPayloadConverter, JSONPlainPayloadConverter

from activities.failures import FailureConverter


@lru_cache(maxsize=1024)
def _reader(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


class _Json(PydanticJSONPlainPayloadConverter):
    """Reads JSON with one reader for each type in the whole process."""

    def from_payload(self, payload: Payload, type_hint: type | None = None) -> Any:
        return _reader(Any if type_hint is None else type_hint).validate_json(payload.data)


_CONVERTERS = tuple(
    _Json() if isinstance(usual, JSONPlainPayloadConverter) else usual
    for usual in DefaultPayloadConverter.default_encoding_payload_converters
)
"""Shared by all: the SDK makes a payload converter several times in each activation."""


class OurPayloadConverter(CompositePayloadConverter):
    """The SDK's payload converters, with ours in the place of its plain JSON."""

    def __init__(self) -> None:
        super().__init__(*_CONVERTERS)


DATA_CONVERTER = replace(
    pydantic_data_converter,
    payload_converter_class=OurPayloadConverter,
    failure_converter_class=FailureConverter,
)
"""For every client and every worker."""
