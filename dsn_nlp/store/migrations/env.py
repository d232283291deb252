"""Run the migrations on the connection, and in the transaction, that ``migrate`` opened."""

from alembic import context

from dsn_nlp.store.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    # Alembic takes SQLite for non-transactional; our BEGIN IMMEDIATE makes its DDL atomic.
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
