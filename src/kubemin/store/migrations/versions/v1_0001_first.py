"""The first schema. Frozen: later changes are later revisions."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "v1_0001"
down_revision = None

_BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_WORDS = sa.Text().with_variant(mysql.LONGTEXT(), "mysql", "mariadb")
_MOMENT: sa.Double[float] = sa.Double()
_OPTIONS: dict[str, Any] = {
    f"{dialect}_{name}": value
    for dialect in ("mysql", "mariadb")
    for name, value in (("charset", "utf8mb4"), ("collate", "utf8mb4_bin"), ("engine", "InnoDB"))
}
_GENERATED: dict[str, Any] = {**_OPTIONS, "sqlite_autoincrement": True}


def _name(name: str, length: int, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(length), nullable=nullable)


def _words(name: str, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, _WORDS, nullable=nullable)


def _moment(name: str, nullable: bool = False) -> sa.Column[float]:
    return sa.Column(name, _MOMENT, nullable=nullable)


def _integer(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), nullable=False)


def _large(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), autoincrement=False, nullable=False)


def _generated(name: str) -> sa.Column[int]:
    return sa.Column(name, _BIG_ID, autoincrement=True, nullable=False)


def _key(table: str, *columns: str) -> sa.PrimaryKeyConstraint:
    nameless = op.get_bind().dialect.name in ("mysql", "mariadb")  # which warns that it ignores the name
    return sa.PrimaryKeyConstraint(*columns, name=None if nameless else f"pk_{table}")


def _of(table: str, parent: str, *columns: str) -> sa.ForeignKeyConstraint:
    ours = list(columns)
    theirs = ["id"] if len(ours) == 1 else ours
    return sa.ForeignKeyConstraint(
        ours, [f"{parent}.{name}" for name in theirs], name=f"fk_{table}_{'_'.join(ours)}", ondelete="CASCADE"
    )


def upgrade() -> None:
    """Create every table."""
    op.create_table(
        "applications",
        _name("id", 24),
        _name("cluster", 63),
        _name("namespace", 63),
        _name("name", 253),
        _words("alias"),
        _words("version"),
        _words("project"),
        _words("description"),
        _words("icon"),
        sa.Column("tmp_enable", sa.Boolean(), nullable=False),
        _words("config_key", nullable=True),
        _moment("created_at"),
        _moment("updated_at"),
        _key("applications", "id"),
        sa.UniqueConstraint("cluster", "namespace", "name", name="uq_applications_cluster_namespace_name"),
        **_OPTIONS,
    )
    op.create_index("ix_applications_updated_at_id", "applications", ["updated_at", "id"])
    op.create_index("ix_applications_namespace_updated_at_id", "applications", ["namespace", "updated_at", "id"])
    op.create_index("ix_applications_name", "applications", ["name"])
    op.create_table(
        "components",
        _name("app_id", 24),
        _name("name", 63),
        _integer("position"),
        _words("spec"),
        _moment("created_at"),
        _moment("updated_at"),
        _key("components", "app_id", "name"),
        _of("components", "applications", "app_id"),
        **_OPTIONS,
    )
    op.create_table(
        "revisions",
        _name("app_id", 24),
        _integer("number"),
        _name("state", 16),
        _words("spec"),
        _name("strategy", 16),
        _words("note"),
        _name("caller", 255),
        _name("task_id", 24),
        _words("changes"),
        _words("restarts"),
        _words("config_digests"),
        sa.Column("replaces_draft", sa.Boolean(), nullable=False),
        _moment("created_at"),
        _key("revisions", "app_id", "number"),
        _of("revisions", "applications", "app_id"),
        **_OPTIONS,
    )
    op.create_table(
        "workflows",
        _name("id", 24),
        _name("app_id", 24),
        _name("name", 253),
        _words("alias"),
        _name("namespace", 63),
        _words("project"),
        _words("description"),
        _name("type", 32),
        sa.Column("disabled", sa.Boolean(), nullable=False),
        _words("steps"),
        _moment("created_at"),
        _moment("updated_at"),
        _key("workflows", "id"),
        sa.UniqueConstraint("app_id", "name", name="uq_workflows_app_id_name"),
        _of("workflows", "applications", "app_id"),
        **_OPTIONS,
    )
    op.create_table(
        "tasks",
        _generated("seq"),
        _name("id", 24),
        _name("app_id", 24),
        _name("app_name", 253),
        _name("cluster", 63),
        _name("namespace", 63),
        _words("project"),
        _name("workflow_id", 24),
        _name("workflow_name", 253),
        _name("type", 16),
        _name("status", 16),
        _words("reason"),
        _name("reason_code", 32, nullable=True),
        _name("cleanup", 16),
        _words("cleanup_why"),
        _integer("cleanup_attempts"),
        _moment("next_cleanup_at", nullable=True),
        _words("cancelled_by", nullable=True),
        _name("cancel_request_id", 64, nullable=True),
        _moment("cancel_requested_at", nullable=True),
        _name("cancel_cleanup", 16, nullable=True),
        _name("caller", 255),
        _words("acting_as", nullable=True),
        _name("idempotency_key", 255, nullable=True),
        _words("body_hash", nullable=True),
        _name("request_id", 64, nullable=True),
        _name("traceparent", 55, nullable=True),
        _words("options"),
        _words("spec"),
        _words("plan", nullable=True),
        sa.Column("revision", sa.Integer(), nullable=True),
        _integer("promoted_hold"),
        _integer("attempt"),
        _name("active_app", 24, nullable=True),
        _name("lease_owner", 255, nullable=True),
        _integer("lease_epoch"),
        _large("lease_commits"),
        _moment("lease_expires_at", nullable=True),
        _moment("claimed_at", nullable=True),
        _moment("created_at"),
        _moment("started_at", nullable=True),
        _moment("ended_at", nullable=True),
        _moment("updated_at"),
        _key("tasks", "seq"),
        sa.UniqueConstraint("id", name="uq_tasks_id"),
        sa.UniqueConstraint("active_app", name="uq_tasks_active_app"),
        sa.UniqueConstraint("caller", "app_id", "idempotency_key", name="uq_tasks_caller_app_id_idempotency_key"),
        **_GENERATED,
    )
    op.create_index("ix_tasks_status_app_id_seq_cluster", "tasks", ["status", "app_id", "seq", "cluster"])
    op.create_index("ix_tasks_status_seq", "tasks", ["status", "seq"])
    op.create_index("ix_tasks_cleanup_app_id", "tasks", ["cleanup", "app_id"])
    op.create_index("ix_tasks_app_id_seq", "tasks", ["app_id", "seq"])
    op.create_index("ix_tasks_workflow_id_seq", "tasks", ["workflow_id", "seq"])
    op.create_index("ix_tasks_namespace_seq", "tasks", ["namespace", "seq"])
    op.create_index("ix_tasks_lease_expires_at_cluster", "tasks", ["lease_expires_at", "cluster"])
    op.create_index("ix_tasks_next_cleanup_at_cluster", "tasks", ["next_cleanup_at", "cluster"])
    op.create_table(
        "jobs",
        _name("task_id", 24),
        _integer("seq"),
        _integer("stage"),
        _words("step"),
        _words("name"),
        _name("component", 63),
        _name("component_type", 32),
        _name("kind", 317),
        _name("namespace", 63),
        _name("object_name", 253),
        _name("status", 16),
        _words("info"),
        _words("error"),
        _name("reason_code", 32, nullable=True),
        _moment("started_at", nullable=True),
        _moment("ended_at", nullable=True),
        _key("jobs", "task_id", "seq"),
        _of("jobs", "tasks", "task_id"),
        **_OPTIONS,
    )
    op.create_table(
        "kinds",
        _name("cluster", 63),
        _name("name", 317),
        _key("kinds", "cluster", "name"),
        **_OPTIONS,
    )
    op.create_table(
        "resources",
        _name("task_id", 24),
        _integer("seq"),
        _integer("job_seq"),
        _name("api_version", 253),
        _name("kind", 317),
        _name("namespace", 63),
        _name("name", 253),
        _name("purpose", 16),
        _name("state", 16),
        _name("uid", 64, nullable=True),
        _words("before", nullable=True),
        _words("applied", nullable=True),
        _words("dependents", nullable=True),
        _words("why"),
        _moment("created_at"),
        _moment("updated_at"),
        sa.Column("adopted", sa.Boolean(), nullable=True),
        _name("made_at", 32, nullable=True),
        sa.Column("priority", sa.Integer()),
        _name("holder", 24, nullable=True),
        _key("resources", "task_id", "seq"),
        _of("resources", "tasks", "task_id"),
        **_OPTIONS,
    )
    op.create_index("ix_resources_holder", "resources", ["holder"])
    op.create_index("ix_resources_uid_holder", "resources", ["uid", "holder"])
    op.create_table(
        "writes",
        _name("token", 64),
        _name("task_id", 24),
        _integer("seq"),
        _name("kind", 16),
        _name("base_version", 64, nullable=True),
        _words("answer", nullable=True),
        _moment("created_at"),
        _moment("answered_at", nullable=True),
        sa.Column("job_seq", sa.Integer()),
        _key("writes", "token"),
        _of("writes", "resources", "task_id", "seq"),
        **_OPTIONS,
    )
    op.create_index("ix_writes_task_id_seq", "writes", ["task_id", "seq"])
    op.create_index("ix_writes_base_version", "writes", ["base_version"])
    op.create_table(
        "events",
        _generated("id"),
        _name("task_id", 24),
        _name("type", 32),
        _words("data"),
        _moment("at"),
        _key("events", "id"),
        _of("events", "tasks", "task_id"),
        **_GENERATED,
    )
    op.create_index("ix_events_task_id_id", "events", ["task_id", "id"])
    op.create_table(
        "outbox",
        _generated("seq"),
        _name("id", 24),
        _name("type", 32),
        _name("app_id", 24),
        _name("task_id", 24, nullable=True),
        _words("data"),
        _moment("created_at"),
        _moment("taken_at", nullable=True),
        _key("outbox", "seq"),
        sa.UniqueConstraint("id", name="uq_outbox_id"),
        **_GENERATED,
    )
    op.create_index("ix_outbox_taken_at_seq", "outbox", ["taken_at", "seq"])
    op.create_table(
        "deliveries",
        _generated("id"),
        sa.Column("seq", _BIG_ID, nullable=False),
        _name("target", 63),
        _name("app_id", 24),
        _name("state", 16),
        _integer("attempts"),
        _integer("tries"),
        sa.Column("http_status", sa.Integer()),
        _words("error"),
        _moment("next_at", nullable=True),
        _moment("created_at"),
        _moment("tried_at", nullable=True),
        _key("deliveries", "id"),
        sa.ForeignKeyConstraint(["seq"], ["outbox.seq"], name="fk_deliveries_seq", ondelete="CASCADE"),
        sa.UniqueConstraint("seq", "target", name="uq_deliveries_seq_target"),
        **_GENERATED,
    )
    op.create_index("ix_deliveries_target_next_at", "deliveries", ["target", "next_at"])
    op.create_index("ix_deliveries_target_app_id_next_at", "deliveries", ["target", "app_id", "next_at"])
    op.create_index("ix_deliveries_state_id", "deliveries", ["state", "id"])
    op.create_table(
        "drifts",
        _name("app_id", 24),
        _integer("revision"),
        _moment("since"),
        _key("drifts", "app_id"),
        _of("drifts", "applications", "app_id"),
        **_OPTIONS,
    )
    op.create_table(
        "duties",
        _name("name", 80),
        _name("owner", 255),
        _moment("expires_at"),
        _key("duties", "name"),
        **_OPTIONS,
    )
    op.create_table(
        "shares",
        _name("cluster", 63),
        _name("name", 253),
        _name("task_id", 24),
        _key("shares", "cluster", "name"),
        **_OPTIONS,
    )
    op.create_table(
        "cluster_workers",
        _name("cluster", 63),
        _name("worker", 255),
        _name("version", 255),
        _words("away"),
        _moment("seen_at"),
        _key("cluster_workers", "cluster", "worker"),
        **_OPTIONS,
    )
    op.create_table(
        "evidence",
        _name("task_id", 24),
        _name("component", 63),
        _words("pods"),
        _moment("created_at"),
        _key("evidence", "task_id", "component"),
        _of("evidence", "tasks", "task_id"),
        **_OPTIONS,
    )
    op.create_table(
        "sealing_keys",
        _name("id", 32),
        _words("proof"),
        sa.Column("complete", sa.Boolean(), nullable=False),
        _key("sealing_keys", "id"),
        **_OPTIONS,
    )
    op.create_table(
        "audit",
        _large("seq"),
        _moment("at"),
        _name("caller", 255),
        _name("authenticated", 64),
        _name("address", 64),
        _name("method", 16),
        _name("operation", 64),
        _name("target", 512),
        _name("cluster", 63),
        _name("app_id", 24),
        _name("task_id", 24),
        _integer("status"),
        _integer("code"),
        _name("request_id", 64),
        _name("key_id", 16),
        _name("previous", 64),
        _name("hash", 64),
        _key("audit", "seq"),
        **_OPTIONS,
    )
    op.create_index("ix_audit_at", "audit", ["at"])
    op.create_index("ix_audit_app_id_seq", "audit", ["app_id", "seq"])
    op.create_index("ix_audit_task_id_seq", "audit", ["task_id", "seq"])
    op.create_index("ix_audit_caller_seq", "audit", ["caller", "seq"])
    op.create_index("ix_audit_request_id", "audit", ["request_id"])
    op.create_index("ix_audit_operation_seq", "audit", ["operation", "seq"])
    op.create_index("ix_audit_cluster_seq", "audit", ["cluster", "seq"])
    op.create_table(
        "audit_heads",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        _large("seq"),
        _name("hash", 64),
        _key("audit_heads", "id"),
        **_OPTIONS,
    )
    op.create_table(
        "tokens",
        _name("id", 16),
        _name("name", 255),
        _name("owner", 255),
        _name("hash", 64),
        _words("grants"),
        _name("made_by", 255),
        _moment("created_at"),
        _moment("expires_at", nullable=True),
        _moment("used_at", nullable=True),
        _moment("revoked_at", nullable=True),
        _name("revoked_by", 255, nullable=True),
        _key("tokens", "id"),
        **_OPTIONS,
    )
    op.create_index("ix_tokens_owner", "tokens", ["owner"])
    op.create_table(
        "sessions",
        _name("hash", 64),
        _name("name", 255),
        _words("groups"),
        _name("token_id", 16, nullable=True),
        _name("subject", 64, nullable=True),
        _name("sid", 64, nullable=True),
        _moment("created_at"),
        _moment("used_at"),
        _moment("expires_at"),
        _key("sessions", "hash"),
        _of("sessions", "tokens", "token_id"),
        **_OPTIONS,
    )
    op.create_index("ix_sessions_token_id", "sessions", ["token_id"])
    op.create_index("ix_sessions_subject", "sessions", ["subject"])
    op.create_index("ix_sessions_sid", "sessions", ["sid"])
    op.create_index("ix_sessions_expires_at", "sessions", ["expires_at"])
    op.create_table(
        "one_time",
        _name("hash", 64),
        _moment("expires_at"),
        _key("one_time", "hash"),
        **_OPTIONS,
    )
    op.create_index("ix_one_time_expires_at", "one_time", ["expires_at"])
    op.create_table(
        "write_probes",
        _name("id", 24),
        _words("filler"),
        _key("write_probes", "id"),
        **_OPTIONS,
    )
