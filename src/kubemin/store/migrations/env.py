"""Run by Alembic for every command; the connection comes from `kubemin.store.schema.config`."""

from alembic import context

from kubemin.store.migrations.resuming import Steps
from kubemin.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    compare_type=True,
    compare_server_default=True,
    render_as_batch=True,
)
# The caller's transaction is the transaction: `schema.upgrade` commits it. MariaDB and MySQL have none for a schema.
running = context.get_context()
steps = Steps(running) if running.dialect.name in ("mysql", "mariadb") else None
context.run_migrations()
if steps is not None:
    steps.end()
