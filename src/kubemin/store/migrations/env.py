"""Run by Alembic for every command; the connection comes from `kubemin.store.schema.config`."""

from alembic import context

from kubemin.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    compare_type=True,
    compare_server_default=True,
    render_as_batch=True,
)
# The caller's transaction is the transaction: `schema.upgrade` commits it.
context.run_migrations()
