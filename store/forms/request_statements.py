"""The statements about requests and answers, prepared once: building them costs more than running them."""

from __future__ import annotations

from sqlalchemy import Boolean, String, and_, bindparam, case, delete, exists, func, insert, select, update

from store.columns import Instant, bare
from store.prepared import Prepared
from store.tables import (
    AnswerRow,
    ApplicationRow,
    CohortPersonRow,
    CohortRow,
    DraftRow,
    MembershipRow,
    MentorshipRow,
    ParticipantRow,
    RequestRow,
)

REQUESTS, ANSWERS, DRAFTS = bare(RequestRow), bare(AnswerRow), bare(DraftRow)
MENTORSHIPS, MEMBERSHIPS, PEOPLE = bare(MentorshipRow), bare(MembershipRow), bare(ParticipantRow)
COHORTS, STAFF, APPLICATIONS = bare(CohortRow), bare(CohortPersonRow), bare(ApplicationRow)
BEFORE, KEPT = REQUESTS.alias("before"), ANSWERS.alias("kept")
LINK = (REQUESTS.c.public_id == bindparam("public_id"), REQUESTS.c.generation == bindparam("generation"))

LATEST = select(func.max(KEPT.c.version)).where(KEPT.c.request == REQUESTS.c.key).scalar_subquery()
OF_LINK = Prepared(
    select(
        REQUESTS.c.key, REQUESTS.c.program_hash.label("asked_with"), REQUESTS.c.ask, REQUESTS.c.number,
        REQUESTS.c.role, REQUESTS.c.early, REQUESTS.c.opens, REQUESTS.c.closes, REQUESTS.c.closes_at,
        REQUESTS.c.state, REQUESTS.c.cohort, REQUESTS.c.mentorship, REQUESTS.c.person,
        MENTORSHIPS.c.state.label("mentorship_state"), MENTORSHIPS.c.paused_until, MENTORSHIPS.c.format,
        MENTORSHIPS.c.proposed, MENTORSHIPS.c.because,
        MENTORSHIPS.c.agreement_in_force, MENTORSHIPS.c.start, MENTORSHIPS.c.midpoint, MENTORSHIPS.c.end,
        MENTORSHIPS.c.program, MENTORSHIPS.c.program_hash,
        COHORTS.c.title.label("cohort_title"), COHORTS.c.zone.label("cohort_zone"), COHORTS.c.organisation,
        PEOPLE.c.name, PEOPLE.c.zone, PEOPLE.c.language, PEOPLE.c.profile, PEOPLE.c.standing,
        exists()
        .where(APPLICATIONS.c.cohort == REQUESTS.c.cohort, APPLICATIONS.c.person == REQUESTS.c.person)
        .label("applied"),
        ANSWERS.c.version, ANSWERS.c.submission, ANSWERS.c.body, ANSWERS.c.at, ANSWERS.c.late,
        DRAFTS.c.body.label("draft"),
        exists().where(KEPT.c.submission == bindparam("submission")).label("repeats"),
        exists()
        .where(
            BEFORE.c.person == REQUESTS.c.person, BEFORE.c.answered_at.is_not(None), BEFORE.c.key != REQUESTS.c.key
        )
        .label("answered_before"),
        select(func.max(BEFORE.c.opens))
        .where(
            BEFORE.c.cohort == REQUESTS.c.cohort,
            BEFORE.c.mentorship == REQUESTS.c.mentorship,
            BEFORE.c.ask == "check_in",
            BEFORE.c.number < REQUESTS.c.number,
            REQUESTS.c.ask == "check_in",
        )
        .scalar_subquery()
        .label("check_in_before"),
    )
    .select_from(REQUESTS)
    .join(
        MENTORSHIPS,
        (MENTORSHIPS.c.cohort == REQUESTS.c.cohort) & (MENTORSHIPS.c.key == REQUESTS.c.mentorship),
    )
    .join(COHORTS, COHORTS.c.id == REQUESTS.c.cohort)
    .join(PEOPLE, PEOPLE.c.id == REQUESTS.c.person)
    .outerjoin(ANSWERS, and_(ANSWERS.c.request == REQUESTS.c.key, ANSWERS.c.version == LATEST))
    .outerjoin(DRAFTS, DRAFTS.c.request == REQUESTS.c.key)
    .where(*LINK)
)  # fmt: skip
"""A request with its latest answer and its draft. `repeats`: this submission is kept already, here or for another
request. `answered_before`: the person has answered another form.
`check_in_before`: when the check-in before this one was opened; the same day for everybody in the mentorship."""
MEMBERS = Prepared(
    select(MEMBERSHIPS.c.person, PEOPLE.c.name, MEMBERSHIPS.c.role, MEMBERSHIPS.c.standing)
    .select_from(MEMBERSHIPS)
    .join(PEOPLE, PEOPLE.c.id == MEMBERSHIPS.c.person)
    .where(MEMBERSHIPS.c.cohort == bindparam("cohort"), MEMBERSHIPS.c.mentorship == bindparam("mentorship"))
    .order_by(MEMBERSHIPS.c.position, MEMBERSHIPS.c.person)
)
COORDINATORS = Prepared(
    select(PEOPLE.c.name, PEOPLE.c.email)
    .select_from(PEOPLE)
    .join(STAFF, STAFF.c.person == PEOPLE.c.id)
    .where(STAFF.c.cohort == bindparam("cohort"), STAFF.c.role == "coordinator")
    .order_by(PEOPLE.c.id)
)
OTHERS = Prepared(
    select(REQUESTS.c.public_id, REQUESTS.c.generation, REQUESTS.c.mentorship, REQUESTS.c.ask, REQUESTS.c.number)
    .where(
        REQUESTS.c.person == bindparam("person"),
        REQUESTS.c.cohort == bindparam("cohort"),
        REQUESTS.c.state == "open",
        REQUESTS.c.key != bindparam("key"),
    )
    .order_by(REQUESTS.c.opens, REQUESTS.c.number, REQUESTS.c.key)
)
PARTNERS = Prepared(
    select(MEMBERSHIPS.c.mentorship, PEOPLE.c.name)
    .select_from(MEMBERSHIPS)
    .join(PEOPLE, PEOPLE.c.id == MEMBERSHIPS.c.person)
    .where(
        MEMBERSHIPS.c.cohort == bindparam("cohort"),
        MEMBERSHIPS.c.mentorship.in_(bindparam("mentorships", expanding=True)),
        MEMBERSHIPS.c.person != bindparam("person"),
        MEMBERSHIPS.c.standing.not_in(("out", "declined")),
    )
    .order_by(MEMBERSHIPS.c.position)
)
ANSWER_OF = Prepared(select(ANSWERS.c.request, ANSWERS.c.body).where(ANSWERS.c.submission == bindparam("submission")))

_LOCK = select(REQUESTS.c.key).where(*LINK).with_for_update()
LOCK, LOCK_UNLESS_AGREEMENT = Prepared(_LOCK), Prepared(_LOCK.where(REQUESTS.c.ask != "agreement"))
AGREEMENT_OF_LINK = Prepared(select(REQUESTS.c.cohort, REQUESTS.c.mentorship).where(*LINK))
KEEP_ANSWER = Prepared(insert(ANSWERS))
_ANSWERED = (
    update(REQUESTS)
    .where(REQUESTS.c.key == bindparam("request_key"))
    .values(
        answered_at=func.coalesce(REQUESTS.c.answered_at, bindparam("at", type_=Instant())),
        met=bindparam("met", type_=Boolean()),
    )
)
ANSWERED_LATE = Prepared(_ANSWERED)
ANSWERED = Prepared(_ANSWERED.values(state=case((REQUESTS.c.state == "open", "answered"), else_=REQUESTS.c.state)))
DROP_DRAFT = Prepared(delete(DRAFTS).where(DRAFTS.c.request == bindparam("request_key")))
INTRODUCE = Prepared(
    update(PEOPLE)
    .where(PEOPLE.c.id == bindparam("person_id"))
    .values(
        profile=bindparam("profile"),
        zone=func.coalesce(func.nullif(bindparam("zone", type_=String), ""), PEOPLE.c.zone),
    )
)
