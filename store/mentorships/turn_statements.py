"""The statements that write a turn of a mentorship, compiled once: see `store.mentorships.turns`."""

from __future__ import annotations

from sqlalchemy import bindparam, insert, select, update

from store.columns import bare
from store.prepared import Prepared, putting
from store.tables import (
    AnswerRow,
    CohortRow,
    EventRow,
    MentorshipRow,
    RequestRow,
    StepRow,
    TaskRow,
)

MENTORSHIPS, TASKS = bare(MentorshipRow), bare(TaskRow)
NOTE = Prepared(insert(bare(EventRow)))

STANDS = Prepared(
    select(
        MentorshipRow.program, MentorshipRow.program_hash, MentorshipRow.first_hash,
        MentorshipRow.turn, MentorshipRow.turn_at, MentorshipRow.furthest,
        MentorshipRow.state, MentorshipRow.held, MentorshipRow.paused_until, MentorshipRow.ending,
        CohortRow.zone, CohortRow.letterbox, CohortRow.holidays, CohortRow.state.label("cohort_state"),
    )
    .join(CohortRow, CohortRow.id == MentorshipRow.cohort)
    .where(MentorshipRow.cohort == bindparam("its_cohort"), MentorshipRow.key == bindparam("its_key"))
    .with_for_update(of=MentorshipRow)
)  # fmt: skip
"""How a mentorship stands before a turn; it is locked."""
STANDING = (
    "turn", "turn_at", "furthest",
    "state", "phase", "health", "next_step", "next_on", "next_at", "awaited", "open_tasks", "paused_until",
    "pause_ahead", "held", "start", "midpoint", "end", "workflow_state",
    "ending_decided", "last_life", "agreement_open", "agreement_in_force",
)  # fmt: skip
GOES_ON, ENDS = (
    Prepared(
        update(MENTORSHIPS)
        .where(MENTORSHIPS.c.cohort == bindparam("its_cohort"), MENTORSHIPS.c.key == bindparam("its_key"))
        .values({name: bindparam(name) for name in (*STANDING, *more)})
    )
    for more in ((), ("ending", "reason", "ended_on"))
)
"""How it stands after a turn, and after its last one."""
SAVED = Prepared(
    select(MENTORSHIPS.c.workflow_state).where(
        MENTORSHIPS.c.cohort == bindparam("its_cohort"), MENTORSHIPS.c.key == bindparam("its_key")
    )
)
"""What its workflow remembered after the last turn."""
REQUESTS, ANSWERS = bare(RequestRow), bare(AnswerRow)
WINDOW = ("role", "early", "opens", "closes", "closes_at")
"""What a repeated turn can change about a request."""
OPEN_REQUEST, OPEN_REQUEST_AGAIN = (
    putting(RequestRow, ("key",), (*WINDOW, *fresh)) for fresh in (("state", "answered_at"), ())
)
END_REQUESTS = Prepared(
    update(REQUESTS)
    .where(
        REQUESTS.c.key.in_(bindparam("keys", expanding=True)),
        REQUESTS.c.state.in_(bindparam("from_states", expanding=True)),
    )
    .values(state=bindparam("to_state"))
)
MOVE_REQUESTS = Prepared(
    update(REQUESTS)
    .where(REQUESTS.c.key.in_(bindparam("keys", expanding=True)))
    .values(closes=bindparam("until"), closes_at=bindparam("until_moment"))
)
GIVEN = Prepared(
    select(ANSWERS.c.id, ANSWERS.c.request, ANSWERS.c.body, ANSWERS.c.at, ANSWERS.c.late, REQUESTS.c.closes_at)
    .join(REQUESTS, REQUESTS.c.key == ANSWERS.c.request)
    .where(ANSWERS.c.request.in_(bindparam("requests", expanding=True)))
    .order_by(ANSWERS.c.request, ANSWERS.c.version)
)
"""What was answered to requests, oldest version first."""
STEP = ("cohort", "mentorship", "name", "number")
PUT_STEP = putting(StepRow, STEP, ("phase", "verb", "state", "opens", "closes", "settled", "asked", "answered"))
TASK = (
    "public_id", "key", "cohort", "mentorship", "kind", "number", "reason", "about", "decisions", "due", "opened_at",
    "opened_on", "turn", "closed_in", "closed_at", "closed_on", "decision", "by",
)  # fmt: skip
PUT_TASK = putting(TaskRow, ("key",), TASK)
CLOSE_TASK = Prepared(
    update(TASKS)
    .where(TASKS.c.key == bindparam("its_key"))
    .values({name: bindparam(name) for name in ("decision", "by", "closed_at", "closed_on", "closed_in")})
)
