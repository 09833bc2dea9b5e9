"""How tasks end (codes, a cancel's cleanup, evidence), the key of digests, who adopts and what, and when what a task
made was made. Additive.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "v1_0003"
down_revision = "v1_0002"

_OPTIONS: dict[str, Any] = {
    f"{dialect}_{name}": value
    for dialect in ("mysql", "mariadb")
    for name, value in (("charset", "utf8mb4"), ("collate", "utf8mb4_bin"), ("engine", "InnoDB"))
}


def upgrade() -> None:
    """Add columns that may be absent, and tables."""
    nameless = op.get_bind().dialect.name in ("mysql", "mariadb")  # which warns that it ignores the name
    op.add_column("tasks", sa.Column("reason_code", sa.String(32)))
    op.add_column("tasks", sa.Column("cancel_cleanup", sa.String(16)))
    op.add_column("jobs", sa.Column("reason_code", sa.String(32)))
    op.add_column("applications", sa.Column("config_key", sa.String(32)))
    op.add_column("components", sa.Column("adopt", sa.Boolean()))
    op.add_column("resources", sa.Column("adopted", sa.Boolean()))
    op.add_column("resources", sa.Column("made_at", sa.String(32)))
    op.create_table(
        "evidence",
        sa.Column("task_id", sa.String(24), nullable=False),
        sa.Column("component", sa.String(63), nullable=False),
        sa.Column("pods", sa.Text().with_variant(mysql.LONGTEXT(), "mysql", "mariadb"), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("task_id", "component", name=None if nameless else "pk_evidence"),
        sa.ForeignKeyConstraint(["task_id"], ["tasks.id"], name="fk_evidence_task_id", ondelete="CASCADE"),
        **_OPTIONS,
    )
    op.create_table(
        "write_probes",
        sa.Column("id", sa.String(24), nullable=False),
        sa.Column("filler", sa.Text().with_variant(mysql.LONGTEXT(), "mysql", "mariadb"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=None if nameless else "pk_write_probes"),
        **_OPTIONS,
    )
