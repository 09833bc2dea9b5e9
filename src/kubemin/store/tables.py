"""The tables. Migrations build them; a test compares the two.

JSON is text that we write ourselves, never a native JSON type: what was stored comes back byte for byte.
"""

from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    Table,
    UniqueConstraint,
)

from kubemin.store.clock import Moment
from kubemin.store.columns import BigId, Name, Words

metadata = MetaData(
    naming_convention={
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)

# MySQL compares text regardless of case unless told otherwise; SQLite hands the keys of deleted rows out again.
_OPTIONS: dict[str, Any] = {
    "mysql_charset": "utf8mb4",
    "mysql_collate": "utf8mb4_bin",
    "mysql_engine": "InnoDB",
    "mariadb_charset": "utf8mb4",
    "mariadb_collate": "utf8mb4_bin",
    "mariadb_engine": "InnoDB",
}
_GENERATED: dict[str, Any] = {**_OPTIONS, "sqlite_autoincrement": True}

ID = 24
OBJECT_NAME = 253

applications = Table(
    "applications",
    metadata,
    Column("id", Name(ID), primary_key=True),
    Column("namespace", Name(63), nullable=False),
    Column("name", Name(OBJECT_NAME), nullable=False),
    Column("alias", Words, nullable=False),
    Column("version", Words, nullable=False),
    Column("project", Words, nullable=False),
    Column("description", Words, nullable=False),
    Column("icon", Words, nullable=False),
    Column("tmp_enable", Boolean, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("updated_at", Moment, nullable=False),
    UniqueConstraint("namespace", "name"),
    **_OPTIONS,
)

components = Table(
    "components",
    metadata,
    Column("id", BigId, primary_key=True, autoincrement=True),
    Column("app_id", Name(ID), ForeignKey("applications.id", ondelete="CASCADE"), nullable=False),
    Column("position", Integer, nullable=False),
    Column("name", Name(63), nullable=False),
    Column("type", Name(32), nullable=False),
    Column("namespace", Name(63), nullable=False),
    Column("image", Words, nullable=False),
    Column("replicas", Integer, nullable=False),
    Column("properties", Words, nullable=False),
    Column("traits", Words, nullable=False),
    Column("template", Words),
    Column("created_at", Moment, nullable=False),
    Column("updated_at", Moment, nullable=False),
    UniqueConstraint("app_id", "name"),
    **_GENERATED,
)

workflows = Table(
    "workflows",
    metadata,
    Column("id", Name(ID), primary_key=True),
    Column("app_id", Name(ID), ForeignKey("applications.id", ondelete="CASCADE"), nullable=False),
    Column("name", Name(OBJECT_NAME), nullable=False),
    Column("alias", Words, nullable=False),
    Column("namespace", Name(63), nullable=False),
    Column("project", Words, nullable=False),
    Column("description", Words, nullable=False),
    Column("type", Name(32), nullable=False),
    Column("disabled", Boolean, nullable=False),
    Column("steps", Words, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("updated_at", Moment, nullable=False),
    UniqueConstraint("app_id", "name"),
    **_OPTIONS,
)

# No foreign key to applications: a task is history, and outlives what it deployed.
tasks = Table(
    "tasks",
    metadata,
    Column("seq", BigId, primary_key=True, autoincrement=True),
    Column("id", Name(ID), nullable=False),
    Column("app_id", Name(ID), nullable=False),
    Column("app_name", Name(OBJECT_NAME), nullable=False),
    Column("workflow_id", Name(ID), nullable=False),
    Column("workflow_name", Name(OBJECT_NAME), nullable=False),
    Column("type", Name(16), nullable=False),
    Column("status", Name(16), nullable=False),
    Column("reason", Words, nullable=False),
    Column("cleanup", Name(16), nullable=False),
    Column("cleanup_why", Words, nullable=False),
    Column("cleanup_attempts", Integer, nullable=False),
    Column("next_cleanup_at", Moment),
    Column("cancelled_by", Words),
    Column("cancel_requested_at", Moment),
    Column("caller", Name(255), nullable=False),
    Column("idempotency_key", Name(255)),
    Column("body_hash", Name(128)),
    Column("options", Words, nullable=False),
    Column("spec", Words, nullable=False),
    Column("plan", Words),
    Column("attempt", Integer, nullable=False),
    Column("active_app", Name(ID)),
    Column("lease_owner", Name(255)),
    Column("lease_epoch", Integer, nullable=False),
    Column("lease_expires_at", Moment),
    Column("claimed_at", Moment),
    Column("created_at", Moment, nullable=False),
    Column("started_at", Moment),
    Column("ended_at", Moment),
    Column("updated_at", Moment, nullable=False),
    UniqueConstraint("id"),
    UniqueConstraint("active_app"),
    UniqueConstraint("caller", "app_id", "idempotency_key"),
    Index(None, "status", "app_id", "seq"),
    Index(None, "app_id", "claimed_at"),
    Index(None, "lease_expires_at"),
    Index(None, "next_cleanup_at"),
    **_GENERATED,
)

jobs = Table(
    "jobs",
    metadata,
    Column("task_id", Name(ID), ForeignKey("tasks.id", ondelete="CASCADE"), primary_key=True),
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("stage", Integer, nullable=False),
    Column("name", Words, nullable=False),
    Column("component", Name(63), nullable=False),
    Column("component_type", Name(32), nullable=False),
    Column("kind", Name(63), nullable=False),
    Column("namespace", Name(63), nullable=False),
    Column("object_name", Name(OBJECT_NAME), nullable=False),
    Column("status", Name(16), nullable=False),
    Column("info", Words, nullable=False),
    Column("error", Words, nullable=False),
    Column("started_at", Moment),
    Column("ended_at", Moment),
    **_OPTIONS,
)

resources = Table(
    "resources",
    metadata,
    Column("task_id", Name(ID), ForeignKey("tasks.id", ondelete="CASCADE"), primary_key=True),
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("job_seq", Integer, nullable=False),
    Column("api_version", Name(OBJECT_NAME), nullable=False),
    Column("kind", Name(63), nullable=False),
    Column("namespace", Name(63), nullable=False),
    Column("name", Name(OBJECT_NAME), nullable=False),
    Column("purpose", Name(16), nullable=False),
    Column("state", Name(16), nullable=False),
    Column("uid", Name(64)),
    Column("before", Words),
    Column("applied", Words),
    Column("dependents", Words),
    Column("why", Words, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("updated_at", Moment, nullable=False),
    Index(None, "uid"),
    **_OPTIONS,
)

claims = Table(
    "claims",
    metadata,
    Column("token", Name(64), primary_key=True),
    Column("task_id", Name(ID), nullable=False),
    Column("seq", Integer, nullable=False),
    Column("kind", Name(16), nullable=False),
    Column("base_version", Name(64)),
    Column("answer", Words),
    Column("created_at", Moment, nullable=False),
    Column("answered_at", Moment),
    ForeignKeyConstraint(["task_id", "seq"], ["resources.task_id", "resources.seq"], ondelete="CASCADE"),
    Index(None, "task_id", "seq"),
    **_OPTIONS,
)

events = Table(
    "events",
    metadata,
    Column("id", BigId, primary_key=True, autoincrement=True),
    Column("task_id", Name(ID), ForeignKey("tasks.id", ondelete="CASCADE"), nullable=False),
    Column("type", Name(32), nullable=False),
    Column("data", Words, nullable=False),
    Column("at", Moment, nullable=False),
    Index(None, "task_id", "id"),
    **_GENERATED,
)

shares = Table(
    "shares",
    metadata,
    Column("name", Name(OBJECT_NAME), primary_key=True),
    Column("task_id", Name(ID), nullable=False),
    **_OPTIONS,
)
