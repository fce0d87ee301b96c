"""Alembic's entry point. `store.database.migrate` hands over its connection with a transaction begun, so that
a migration is applied whole or not at all. Must never open a connection of its own.
"""

from __future__ import annotations

from alembic import context

from store.tables import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
