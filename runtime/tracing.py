"""Traces over OTLP: the page that sent an event, the workflow that took it, the activities after it.

An extra (`pip install 'mentorship-engine[tracing]'`), and off unless the standard OTEL_EXPORTER_OTLP_ENDPOINT names
a collector. Spans hold the ids of workflows, runs and updates; nothing else of ours may be put into them.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from temporalio.client import Interceptor

from runtime.environment import environment
from runtime.errors import Unreachable

WANTED_BY = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")


@asynccontextmanager
async def traced() -> AsyncIterator[list[Interceptor]]:
    """Interceptors with which a Temporal client and its worker trace; none if no collector is configured.

    At the end of the block what is still to be sent is sent. Raises Unreachable where the extra is not installed.
    """
    # OpenTelemetry reads its variables from the environment only; those of `.env` count as well.
    os.environ |= {name: value for name, value in environment().items() if name.startswith("OTEL_")}
    if not any(os.environ.get(name) for name in WANTED_BY):
        yield []
        return
    try:
        from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
        from temporalio.contrib.opentelemetry import TracingInterceptor
    except ImportError as missing:
        raise Unreachable(
            f"{WANTED_BY[0]} asks for traces, and what makes them is not installed ({missing.name}).\n"
            "Install it (pip install 'mentorship-engine[tracing]'), or take that variable away."
        ) from None
    named = {} if os.environ.get("OTEL_SERVICE_NAME") else {"service.name": "mentorship"}
    provider = TracerProvider(resource=Resource.create(named), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    try:
        yield [TracingInterceptor(provider.get_tracer("mentorship"))]
    finally:
        await asyncio.to_thread(provider.shutdown)
