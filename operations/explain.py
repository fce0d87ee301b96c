"""What an expected failure means to the person who can fix it: what, where, what to do; and the exit code.

Must never say what an unexpected failure means: those are for engineers, with their traceback.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.exc import DBAPIError
from temporalio.service import RPCError, RPCStatusCode

from program.faults import Faults
from runtime.connect import no_temporal
from runtime.errors import FAULTY, REFUSED, UNREACHABLE, ExpectedError
from store.cohorts.cohorts import KnownOtherwise, UnknownCohort


@dataclass(frozen=True, slots=True)
class Explained:
    """A failure in plain words, and the exit code of the command."""

    message: str
    code: int


def explain(error: BaseException) -> Explained | None:
    """What an expected failure means; None for one that nobody expected."""
    if isinstance(error, Faults):
        return Explained(str(error), FAULTY)
    if isinstance(error, ExpectedError):
        return Explained(str(error), error.exit_code)
    if isinstance(error, KnownOtherwise | UnknownCohort):
        return Explained(str(error.args[0]), REFUSED)
    if isinstance(error, RPCError):
        return _rpc(error)
    if isinstance(error, DBAPIError):
        # Its own text holds the statement and its values, so names and addresses.
        return Explained(
            f"The database failed ({type(error.orig).__name__ if error.orig else type(error).__name__}).\n"
            "Nothing was half done: what was under way was taken back. `mentorship doctor` says how it stands.",
            UNREACHABLE,
        )
    if isinstance(error, OSError) and error.filename:
        return Explained(f"{error.filename}: {error.strerror}", FAULTY)
    return None


def _rpc(error: RPCError) -> Explained:
    if error.status is RPCStatusCode.NOT_FOUND:
        return Explained(
            f"Temporal does not know this: {error.message}\nSet TEMPORAL_NAMESPACE to the namespace in use; "
            "`mentorship doctor` says what is missing.",
            UNREACHABLE,
        )
    if error.status in (RPCStatusCode.PERMISSION_DENIED, RPCStatusCode.UNAUTHENTICATED):
        return Explained(
            "Temporal does not let us in. Set TEMPORAL_API_KEY, or the TEMPORAL_TLS_* files, to what it asks for.",
            UNREACHABLE,
        )
    if error.status in (RPCStatusCode.DEADLINE_EXCEEDED, RPCStatusCode.CANCELLED):
        return Explained(
            "Temporal answers, and nobody takes up the work: is a worker running? Start one: mentorship worker\n"
            "Running this command again does nothing twice.",
            UNREACHABLE,
        )
    return Explained(no_temporal(), UNREACHABLE)
