"""What Temporal is told of an error: its kind, its place and the constraint that it broke, never its words."""

from __future__ import annotations

import traceback
from typing import Any

from temporalio.api.failure.v1 import Failure
from temporalio.converter import (
    ActivitySerializationContext,
    DefaultFailureConverter,
    PayloadConverter,
    SerializationContext,
    WithSerializationContext,
)
from temporalio.exceptions import ApplicationError, FailureError

from activities.error_description import described


class FailureConverter(DefaultFailureConverter, WithSerializationContext):
    """The SDK's converter for what clients and workflows say, which hold ids only, and ours for activities."""

    def with_context(self, context: SerializationContext) -> FailureConverter:
        """The converter for what is said in this context."""
        return ActivityFailureConverter() if isinstance(context, ActivitySerializationContext) else self


class ActivityFailureConverter(FailureConverter):
    """Turns what an activity raised into a failure for Temporal without any of its words, nor those of its causes.

    The kind stays the failure's type, so retry policies that name it go on to work.
    """

    def to_failure(self, exception: BaseException, payload_converter: PayloadConverter, failure: Failure) -> None:
        """Write the failure that Temporal is told of."""
        if isinstance(exception, FailureError) and not isinstance(exception, ApplicationError):
            super().to_failure(exception, payload_converter, failure)  # a cancellation, or a time-out
            failure.ClearField("cause")
            return
        known: dict[str, Any] = {"type": type(exception).__name__}
        if isinstance(exception, ApplicationError):
            known = {
                "type": exception.type or known["type"],
                "non_retryable": exception.non_retryable,
                "next_retry_delay": exception.next_retry_delay,
                "category": exception.category,
            }
        super().to_failure(ApplicationError(described(exception), **known), payload_converter, failure)
        failure.ClearField("cause")
        failure.stack_trace = "\n".join(traceback.format_tb(exception.__traceback__))
