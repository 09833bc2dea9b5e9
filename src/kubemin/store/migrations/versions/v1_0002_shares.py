"""Shared objects: who is about to make one, and who uses one. Additive: old code works beside it."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "v1_0002"
down_revision = "v1_0001"

_OPTIONS: dict[str, Any] = {
    f"{dialect}_{name}": value
    for dialect in ("mysql", "mariadb")
    for name, value in (("charset", "utf8mb4"), ("collate", "utf8mb4_bin"), ("engine", "InnoDB"))
}


def upgrade() -> None:
    """Create the table of locks, and an index by which the uses of an object are found."""
    nameless = op.get_bind().dialect.name in ("mysql", "mariadb")  # which warns that it ignores the name
    op.create_table(
        "shares",
        sa.Column("name", sa.String(253), nullable=False),
        sa.Column("task_id", sa.String(24), nullable=False),
        sa.PrimaryKeyConstraint("name", name=None if nameless else "pk_shares"),
        **_OPTIONS,
    )
    op.create_index("ix_resources_uid", "resources", ["uid"])
