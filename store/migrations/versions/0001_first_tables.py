"""The first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go to this revision."""
    op.create_table(
        "agreements",
        sa.Column("cohort", sa.String(), nullable=False),
        sa.Column("mentorship", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("signed", sa.JSON(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("cohort", "mentorship", "version", name=op.f("pk_agreements")),
    )
    op.create_table(
        "cohorts",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("organisation", sa.String(), nullable=False),
        sa.Column("program", sa.String(), nullable=False),
        sa.Column("program_hash", sa.String(), nullable=False),
        sa.Column("zone", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("start", sa.Date(), nullable=False),
        sa.Column("holidays", sa.JSON(), nullable=False),
        sa.Column("letterbox", sa.JSON(), nullable=False),
        sa.Column("launched_on", sa.Date(), nullable=False),
        sa.Column("launched_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cohorts")),
    )
    op.create_table(
        "events",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("cohort", sa.String(), nullable=False),
        sa.Column("mentorship", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_events")),
    )
    op.create_index("ix_events_mentorship", "events", ["cohort", "mentorship", "id"], unique=False)
    op.create_table(
        "operations",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("cohort", sa.String(), nullable=False),
        sa.Column("mentorship", sa.String(), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("result", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_operations")),
    )
    op.create_table(
        "outcomes",
        sa.Column("cohort", sa.String(), nullable=False),
        sa.Column("mentorship", sa.String(), nullable=False),
        sa.Column("ending", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("on", sa.Date(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("cohort", "mentorship", name=op.f("pk_outcomes")),
    )
    op.create_table(
        "participants",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("zone", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("profile", sa.JSON(), nullable=False),
        sa.Column("standing", sa.String(), nullable=False),
        sa.Column("reminders_stopped", sa.Boolean(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("last_mail_on", sa.Date(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_participants")),
    )
    op.create_index(op.f("ix_participants_email"), "participants", ["email"], unique=False)
    op.create_table(
        "postmasters",
        sa.Column("shard", sa.Integer(), nullable=False),
        sa.Column("wakes_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("shard", name=op.f("pk_postmasters")),
    )
    op.create_table(
        "programs",
        sa.Column("program", sa.String(), nullable=False),
        sa.Column("hash", sa.String(), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("forms", sa.JSON(), nullable=False),
        sa.Column("frozen_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("program", "hash", name=op.f("pk_programs")),
    )
    op.create_table(
        "relays",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("cohort", sa.String(), nullable=False),
        sa.Column("mentorship", sa.String(), nullable=False),
        sa.Column("event", sa.String(), nullable=False),
        sa.Column("payload", sa.JSON(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_relays")),
    )
    op.create_table(
        "steps",
        sa.Column("cohort", sa.String(), nullable=False),
        sa.Column("mentorship", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("phase", sa.String(), nullable=False),
        sa.Column("verb", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("opens", sa.Date(), nullable=False),
        sa.Column("closes", sa.Date(), nullable=True),
        sa.Column("settled", sa.Date(), nullable=True),
        sa.Column("asked", sa.JSON(), nullable=False),
        sa.Column("answered", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("cohort", "mentorship", "name", "number", name=op.f("pk_steps")),
    )
    op.create_table(
        "suppressions",
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("email", name=op.f("pk_suppressions")),
    )
    op.create_table(
        "cohort_people",
        sa.Column("cohort", sa.String(), nullable=False),
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["cohort"], ["cohorts.id"], name=op.f("fk_cohort_people_cohort")),
        sa.ForeignKeyConstraint(["person"], ["participants.id"], name=op.f("fk_cohort_people_person")),
        sa.PrimaryKeyConstraint("cohort", "person", name=op.f("pk_cohort_people")),
    )
    op.create_table(
        "mentorships",
        sa.Column("cohort", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("program", sa.String(), nullable=False),
        sa.Column("program_hash", sa.String(), nullable=False),
        sa.Column("format", sa.String(), nullable=False),
        sa.Column("start", sa.Date(), nullable=False),
        sa.Column("midpoint", sa.Date(), nullable=False),
        sa.Column("end", sa.Date(), nullable=False),
        sa.Column("launched_on", sa.Date(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("turn", sa.Integer(), nullable=False),
        sa.Column("phase", sa.String(), nullable=False),
        sa.Column("health", sa.String(), nullable=False),
        sa.Column("next_step", sa.String(), nullable=False),
        sa.Column("next_on", sa.Date(), nullable=True),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("awaited", sa.JSON(), nullable=False),
        sa.Column("open_tasks", sa.Integer(), nullable=False),
        sa.Column("paused_until", sa.String(), nullable=False),
        sa.Column("held", sa.Boolean(), nullable=False),
        sa.Column("ending", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("ended_on", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(["cohort"], ["cohorts.id"], name=op.f("fk_mentorships_cohort")),
        sa.PrimaryKeyConstraint("cohort", "key", name=op.f("pk_mentorships")),
    )
    op.create_table(
        "messages",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("cohort", sa.String(), nullable=False),
        sa.Column("shard", sa.Integer(), nullable=False),
        sa.Column("fast", sa.Boolean(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("local_date", sa.Date(), nullable=False),
        sa.Column("recipient", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("raw", sa.Text(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_try_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("error", sa.String(), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["person"], ["participants.id"], name=op.f("fk_messages_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_messages")),
    )
    op.create_index("ix_messages_due", "messages", ["shard", "state", "next_try_at"], unique=False)
    op.create_index(op.f("ix_messages_person"), "messages", ["person"], unique=False)
    op.create_table(
        "items",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("cohort", sa.String(), nullable=False),
        sa.Column("mentorship", sa.String(), nullable=False),
        sa.Column("date", sa.Date(), nullable=False),
        sa.Column("request", sa.String(), nullable=False),
        sa.Column("task", sa.String(), nullable=False),
        sa.Column("about", sa.String(), nullable=False),
        sa.Column("after_end", sa.Boolean(), nullable=False),
        sa.Column("queued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("deliver_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("shard", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("message", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["message"], ["messages.id"], name=op.f("fk_items_message")),
        sa.ForeignKeyConstraint(["person"], ["participants.id"], name=op.f("fk_items_person")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_items")),
    )
    op.create_index("ix_items_due", "items", ["shard", "state", "deliver_at"], unique=False)
    op.create_index("ix_items_mentorship", "items", ["cohort", "mentorship"], unique=False)
    op.create_index(op.f("ix_items_message"), "items", ["message"], unique=False)
    op.create_index("ix_items_person", "items", ["person", "state"], unique=False)
    op.create_table(
        "memberships",
        sa.Column("cohort", sa.String(), nullable=False),
        sa.Column("mentorship", sa.String(), nullable=False),
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("standing", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["cohort", "mentorship"],
            ["mentorships.cohort", "mentorships.key"],
            name=op.f("fk_memberships_cohort"),
        ),
        sa.ForeignKeyConstraint(["person"], ["participants.id"], name=op.f("fk_memberships_person")),
        sa.PrimaryKeyConstraint("cohort", "mentorship", "person", name=op.f("pk_memberships")),
    )
    op.create_index(op.f("ix_memberships_person"), "memberships", ["person"], unique=False)
    op.create_table(
        "requests",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("public_id", sa.String(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("cohort", sa.String(), nullable=False),
        sa.Column("mentorship", sa.String(), nullable=False),
        sa.Column("ask", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("step", sa.String(), nullable=False),
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("early", sa.Boolean(), nullable=False),
        sa.Column("opens", sa.Date(), nullable=False),
        sa.Column("closes", sa.Date(), nullable=False),
        sa.Column("closes_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("mails", sa.Integer(), nullable=False),
        sa.Column("last_mail_on", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(
            ["cohort", "mentorship"],
            ["mentorships.cohort", "mentorships.key"],
            name=op.f("fk_requests_cohort"),
        ),
        sa.ForeignKeyConstraint(["person"], ["participants.id"], name=op.f("fk_requests_person")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_requests")),
        sa.UniqueConstraint("public_id", name=op.f("uq_requests_public_id")),
    )
    op.create_index("ix_requests_mentorship", "requests", ["cohort", "mentorship"], unique=False)
    op.create_index(op.f("ix_requests_person"), "requests", ["person"], unique=False)
    op.create_index(op.f("ix_requests_step"), "requests", ["step"], unique=False)
    op.create_table(
        "tasks",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("cohort", sa.String(), nullable=False),
        sa.Column("mentorship", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("about", sa.JSON(), nullable=False),
        sa.Column("decisions", sa.JSON(), nullable=False),
        sa.Column("due", sa.Date(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("opened_on", sa.Date(), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_on", sa.Date(), nullable=True),
        sa.Column("decision", sa.String(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["cohort", "mentorship"], ["mentorships.cohort", "mentorships.key"], name=op.f("fk_tasks_cohort")
        ),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_tasks")),
    )
    op.create_index("ix_tasks_cohort", "tasks", ["cohort", "decision"], unique=False)
    op.create_table(
        "answers",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("request", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("submission", sa.String(), nullable=False),
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("form", sa.String(), nullable=False),
        sa.Column("form_version", sa.Integer(), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("late", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["request"], ["requests.key"], name=op.f("fk_answers_request")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_answers")),
        sa.UniqueConstraint("request", "version", name="uq_answers_request_version"),
        sa.UniqueConstraint("submission", name=op.f("uq_answers_submission")),
    )
    op.create_index(op.f("ix_answers_request"), "answers", ["request"], unique=False)
    op.create_table(
        "drafts",
        sa.Column("request", sa.String(), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["request"], ["requests.key"], name=op.f("fk_drafts_request")),
        sa.PrimaryKeyConstraint("request", name=op.f("pk_drafts")),
    )


def downgrade() -> None:
    """Go back to the revision before."""
    op.drop_table("drafts")
    op.drop_index(op.f("ix_answers_request"), table_name="answers")
    op.drop_table("answers")
    op.drop_index("ix_tasks_cohort", table_name="tasks")
    op.drop_table("tasks")
    op.drop_index(op.f("ix_requests_step"), table_name="requests")
    op.drop_index(op.f("ix_requests_person"), table_name="requests")
    op.drop_index("ix_requests_mentorship", table_name="requests")
    op.drop_table("requests")
    op.drop_index(op.f("ix_memberships_person"), table_name="memberships")
    op.drop_table("memberships")
    op.drop_index("ix_items_person", table_name="items")
    op.drop_index(op.f("ix_items_message"), table_name="items")
    op.drop_index("ix_items_mentorship", table_name="items")
    op.drop_index("ix_items_due", table_name="items")
    op.drop_table("items")
    op.drop_index(op.f("ix_messages_person"), table_name="messages")
    op.drop_index("ix_messages_due", table_name="messages")
    op.drop_table("messages")
    op.drop_table("mentorships")
    op.drop_table("cohort_people")
    op.drop_table("suppressions")
    op.drop_table("steps")
    op.drop_table("relays")
    op.drop_table("programs")
    op.drop_table("postmasters")
    op.drop_index(op.f("ix_participants_email"), table_name="participants")
    op.drop_table("participants")
    op.drop_table("outcomes")
    op.drop_table("operations")
    op.drop_index("ix_events_mentorship", table_name="events")
    op.drop_table("events")
    op.drop_table("cohorts")
    op.drop_table("agreements")
