"""The tables. Migrations build them, and a test compares the result with this module.

JSON is stored as text, never in a native JSON type, so that it comes back byte for byte.
"""

from typing import Any

from sqlalchemy import (
    BigInteger,
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

from kubemin.spec.ids import ID_LENGTH
from kubemin.spec.names import LABEL_LENGTH
from kubemin.store.clock import Timestamp
from kubemin.store.columns import BigId, BoundedText, LongText

metadata = MetaData(
    naming_convention={
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)

# By default MySQL compares text without regard to case, and SQLite uses the keys of deleted rows again.
_OPTIONS: dict[str, Any] = {
    "mysql_charset": "utf8mb4",
    "mysql_collate": "utf8mb4_bin",
    "mysql_engine": "InnoDB",
    "mariadb_charset": "utf8mb4",
    "mariadb_collate": "utf8mb4_bin",
    "mariadb_engine": "InnoDB",
}
_GENERATED: dict[str, Any] = {**_OPTIONS, "sqlite_autoincrement": True}


def _sealed(name: str, *by: str, nullable: bool = False) -> Column[str]:
    """A column that may hold secrets: `Tx.seal` seals its values, each bound to its row, which these columns name."""
    return Column(name, LongText, nullable=nullable, info={"sealed_by": by})


OBJECT_NAME = 253
KIND_NAME = 63 + 1 + 253
"""``<kind>.<group>``."""

applications = Table(
    "applications",
    metadata,
    Column("id", BoundedText(ID_LENGTH), primary_key=True),
    Column("cluster", BoundedText(LABEL_LENGTH), nullable=False),
    Column("namespace", BoundedText(63), nullable=False),
    Column("name", BoundedText(OBJECT_NAME), nullable=False),
    Column("alias", LongText, nullable=False),
    Column("version", LongText, nullable=False),
    Column("project", LongText, nullable=False),
    Column("description", LongText, nullable=False),
    Column("icon", LongText, nullable=False),
    Column("tmp_enable", Boolean, nullable=False),
    _sealed("config_key", "id", nullable=True),
    Column("created_at", Timestamp, nullable=False),
    Column("updated_at", Timestamp, nullable=False),
    UniqueConstraint("cluster", "namespace", "name"),
    Index(None, "updated_at", "id"),
    Index(None, "namespace", "updated_at", "id"),
    Index(None, "name"),
    **_OPTIONS,
)

components = Table(
    "components",
    metadata,
    Column("app_id", BoundedText(ID_LENGTH), ForeignKey("applications.id", ondelete="CASCADE"), primary_key=True),
    Column("name", BoundedText(63), primary_key=True),
    Column("position", Integer, nullable=False),
    _sealed("spec", "app_id", "name"),
    Column("created_at", Timestamp, nullable=False),
    Column("updated_at", Timestamp, nullable=False),
    **_OPTIONS,
)
"""The draft: what was saved last. What was run, and runs, is in ``revisions``."""

revisions = Table(
    "revisions",
    metadata,
    Column("app_id", BoundedText(ID_LENGTH), ForeignKey("applications.id", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("state", BoundedText(16), nullable=False),
    _sealed("spec", "app_id", "number"),
    Column("strategy", BoundedText(16), nullable=False),
    Column("note", LongText, nullable=False),
    Column("caller", BoundedText(255), nullable=False),
    Column("task_id", BoundedText(ID_LENGTH), nullable=False),
    Column("changes", LongText, nullable=False),
    Column("restarts", LongText, nullable=False),
    Column("config_digests", LongText, nullable=False),
    Column("replaces_draft", Boolean, nullable=False),
    Column("created_at", Timestamp, nullable=False),
    **_OPTIONS,
)

workflows = Table(
    "workflows",
    metadata,
    Column("id", BoundedText(ID_LENGTH), primary_key=True),
    Column("app_id", BoundedText(ID_LENGTH), ForeignKey("applications.id", ondelete="CASCADE"), nullable=False),
    Column("name", BoundedText(OBJECT_NAME), nullable=False),
    Column("alias", LongText, nullable=False),
    Column("namespace", BoundedText(63), nullable=False),
    Column("project", LongText, nullable=False),
    Column("description", LongText, nullable=False),
    Column("type", BoundedText(32), nullable=False),
    Column("disabled", Boolean, nullable=False),
    _sealed("steps", "id"),
    Column("created_at", Timestamp, nullable=False),
    Column("updated_at", Timestamp, nullable=False),
    UniqueConstraint("app_id", "name"),
    **_OPTIONS,
)

# No foreign key to applications: tasks are kept as history after their application is deleted.
tasks = Table(
    "tasks",
    metadata,
    Column("seq", BigId, primary_key=True, autoincrement=True),
    Column("id", BoundedText(ID_LENGTH), nullable=False),
    Column("app_id", BoundedText(ID_LENGTH), nullable=False),
    Column("app_name", BoundedText(OBJECT_NAME), nullable=False),
    Column("cluster", BoundedText(LABEL_LENGTH), nullable=False),
    Column("namespace", BoundedText(63), nullable=False),
    Column("project", LongText, nullable=False),
    Column("workflow_id", BoundedText(ID_LENGTH), nullable=False),
    Column("workflow_name", BoundedText(OBJECT_NAME), nullable=False),
    Column("type", BoundedText(16), nullable=False),
    Column("status", BoundedText(16), nullable=False),
    Column("reason", LongText, nullable=False),
    Column("reason_code", BoundedText(32)),
    Column("cleanup", BoundedText(16), nullable=False),
    Column("cleanup_why", LongText, nullable=False),
    Column("cleanup_attempts", Integer, nullable=False),
    Column("next_cleanup_at", Timestamp),
    Column("cancelled_by", LongText),
    Column("cancel_request_id", BoundedText(64)),
    Column("cancel_requested_at", Timestamp),
    Column("cancel_cleanup", BoundedText(16)),
    Column("caller", BoundedText(255), nullable=False),
    Column("acting_as", LongText),
    Column("idempotency_key", BoundedText(255)),
    _sealed("body_hash", "id", nullable=True),
    Column("request_id", BoundedText(64)),
    Column("traceparent", BoundedText(55)),
    Column("options", LongText, nullable=False),
    _sealed("spec", "id"),
    _sealed("plan", "id", nullable=True),
    Column("revision", Integer),
    Column("promoted_hold", Integer, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("active_app", BoundedText(ID_LENGTH)),
    Column("lease_owner", BoundedText(255)),
    Column("lease_epoch", Integer, nullable=False),
    Column("lease_commits", BigInteger, nullable=False),
    Column("lease_expires_at", Timestamp),
    Column("claimed_at", Timestamp),
    Column("created_at", Timestamp, nullable=False),
    Column("started_at", Timestamp),
    Column("ended_at", Timestamp),
    Column("updated_at", Timestamp, nullable=False),
    UniqueConstraint("id"),
    UniqueConstraint("active_app"),
    UniqueConstraint("caller", "app_id", "idempotency_key"),
    Index(None, "status", "app_id", "seq", "cluster"),
    Index(None, "status", "seq"),
    Index(None, "cleanup", "app_id"),
    Index(None, "app_id", "seq"),
    Index(None, "workflow_id", "seq"),
    Index(None, "namespace", "seq"),
    Index(None, "lease_expires_at", "cluster"),
    Index(None, "next_cleanup_at", "cluster"),
    **_GENERATED,
)

jobs = Table(
    "jobs",
    metadata,
    Column("task_id", BoundedText(ID_LENGTH), ForeignKey("tasks.id", ondelete="CASCADE"), primary_key=True),
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("stage", Integer, nullable=False),
    Column("step", LongText, nullable=False),
    Column("name", LongText, nullable=False),
    Column("component", BoundedText(63), nullable=False),
    Column("component_type", BoundedText(32), nullable=False),
    Column("kind", BoundedText(KIND_NAME), nullable=False),
    Column("namespace", BoundedText(63), nullable=False),
    Column("object_name", BoundedText(OBJECT_NAME), nullable=False),
    Column("status", BoundedText(16), nullable=False),
    Column("info", LongText, nullable=False),
    Column("error", LongText, nullable=False),
    Column("reason_code", BoundedText(32)),
    Column("started_at", Timestamp),
    Column("ended_at", Timestamp),
    **_OPTIONS,
)

kinds = Table(
    "kinds",
    metadata,
    Column("cluster", BoundedText(LABEL_LENGTH), primary_key=True),
    Column("name", BoundedText(KIND_NAME), primary_key=True),
    **_OPTIONS,
)

resources = Table(
    "resources",
    metadata,
    Column("task_id", BoundedText(ID_LENGTH), ForeignKey("tasks.id", ondelete="CASCADE"), primary_key=True),
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("job_seq", Integer, nullable=False),
    Column("api_version", BoundedText(OBJECT_NAME), nullable=False),
    Column("kind", BoundedText(KIND_NAME), nullable=False),
    Column("namespace", BoundedText(63), nullable=False),
    Column("name", BoundedText(OBJECT_NAME), nullable=False),
    Column("purpose", BoundedText(16), nullable=False),
    Column("state", BoundedText(16), nullable=False),
    Column("uid", BoundedText(64)),
    _sealed("before", "task_id", "seq", nullable=True),
    _sealed("applied", "task_id", "seq", nullable=True),
    Column("dependents", LongText),
    Column("why", LongText, nullable=False),
    Column("created_at", Timestamp, nullable=False),
    Column("updated_at", Timestamp, nullable=False),
    Column("adopted", Boolean),
    Column("made_at", BoundedText(32)),
    Column("priority", Integer),
    Column("holder", BoundedText(ID_LENGTH)),
    Index(None, "holder"),
    Index(None, "uid", "holder"),
    **_OPTIONS,
)
"""``holder``: the task's application, while the row says something of what it has; None once others say the same."""

writes = Table(
    "writes",
    metadata,
    Column("token", BoundedText(64), primary_key=True),
    Column("task_id", BoundedText(ID_LENGTH), nullable=False),
    Column("seq", Integer, nullable=False),
    Column("kind", BoundedText(16), nullable=False),
    Column("job_seq", Integer),
    Column("base_version", BoundedText(64)),
    Column("answer", LongText),
    Column("created_at", Timestamp, nullable=False),
    Column("answered_at", Timestamp),
    ForeignKeyConstraint(["task_id", "seq"], ["resources.task_id", "resources.seq"], ondelete="CASCADE"),
    Index(None, "task_id", "seq"),
    Index(None, "base_version"),
    **_OPTIONS,
)

events = Table(
    "events",
    metadata,
    Column("id", BigId, primary_key=True, autoincrement=True),
    Column("task_id", BoundedText(ID_LENGTH), ForeignKey("tasks.id", ondelete="CASCADE"), nullable=False),
    Column("type", BoundedText(32), nullable=False),
    Column("data", LongText, nullable=False),
    Column("at", Timestamp, nullable=False),
    Index(None, "task_id", "id"),
    **_GENERATED,
)

outbox = Table(
    "outbox",
    metadata,
    Column("seq", BigId, primary_key=True, autoincrement=True),
    Column("id", BoundedText(ID_LENGTH), nullable=False),
    Column("type", BoundedText(32), nullable=False),
    Column("app_id", BoundedText(ID_LENGTH), nullable=False),
    Column("task_id", BoundedText(ID_LENGTH)),
    Column("data", LongText, nullable=False),
    Column("created_at", Timestamp, nullable=False),
    Column("taken_at", Timestamp),
    UniqueConstraint("id"),
    Index(None, "taken_at", "seq"),
    **_GENERATED,
)
"""What happened that somebody may want to be told of. ``taken_at``: since then it has its rows in ``deliveries``."""

deliveries = Table(
    "deliveries",
    metadata,
    Column("id", BigId, primary_key=True, autoincrement=True),
    Column("seq", BigId, ForeignKey("outbox.seq", ondelete="CASCADE"), nullable=False),
    Column("target", BoundedText(63), nullable=False),
    Column("app_id", BoundedText(ID_LENGTH), nullable=False),
    Column("state", BoundedText(16), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("http_status", Integer),
    Column("error", LongText, nullable=False),
    Column("next_at", Timestamp),
    Column("created_at", Timestamp, nullable=False),
    Column("tried_at", Timestamp),
    UniqueConstraint("seq", "target"),
    Index(None, "target", "next_at"),
    Index(None, "target", "app_id", "next_at"),
    Index(None, "state", "id"),
    **_GENERATED,
)
"""One message to one target. ``next_at``: when it is sent next, or, while somebody sends it, when another one may;
None once it has ended. ``attempts`` never go down, and fence who sends; ``tries`` begin anew when a person asks.
"""

drifts = Table(
    "drifts",
    metadata,
    Column("app_id", BoundedText(ID_LENGTH), ForeignKey("applications.id", ondelete="CASCADE"), primary_key=True),
    Column("revision", Integer, nullable=False),
    Column("since", Timestamp, nullable=False),
    **_OPTIONS,
)
"""Applications of which it was told that the cluster has drifted, until it is told that it has not any more."""

duties = Table(
    "duties",
    metadata,
    Column("name", BoundedText(80), primary_key=True),
    Column("owner", BoundedText(255), nullable=False),
    Column("expires_at", Timestamp, nullable=False),
    **_OPTIONS,
)
"""What somebody does for all servers, and until when nobody else does."""

shares = Table(
    "shares",
    metadata,
    Column("cluster", BoundedText(LABEL_LENGTH), primary_key=True),
    Column("name", BoundedText(OBJECT_NAME), primary_key=True),
    Column("task_id", BoundedText(ID_LENGTH), nullable=False),
    **_OPTIONS,
)

cluster_workers = Table(
    "cluster_workers",
    metadata,
    Column("cluster", BoundedText(LABEL_LENGTH), primary_key=True),
    Column("worker", BoundedText(255), primary_key=True),
    Column("version", BoundedText(255), nullable=False),
    Column("away", LongText, nullable=False),
    Column("seen_at", Timestamp, nullable=False),
    **_OPTIONS,
)
"""Which worker runs the tasks of which cluster, said anew while it does; ``away``: why it cannot just now."""

evidence = Table(
    "evidence",
    metadata,
    Column("task_id", BoundedText(ID_LENGTH), ForeignKey("tasks.id", ondelete="CASCADE"), primary_key=True),
    Column("component", BoundedText(63), primary_key=True),
    _sealed("pods", "task_id", "component"),
    Column("created_at", Timestamp, nullable=False),
    **_OPTIONS,
)

sealing_keys = Table(
    "sealing_keys",
    metadata,
    Column("id", BoundedText(32), primary_key=True),
    _sealed("proof", "id"),
    Column("complete", Boolean, nullable=False),
    **_OPTIONS,
)
"""Keys that values may be sealed with. ``proof``: a text that the key has sealed, so that a wrong one is noticed.

``complete``: all is sealed with this one.
"""

audit = Table(
    "audit",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("at", Timestamp, nullable=False),
    Column("caller", BoundedText(255), nullable=False),
    Column("authenticated", BoundedText(64), nullable=False),
    Column("address", BoundedText(64), nullable=False),
    Column("method", BoundedText(16), nullable=False),
    Column("operation", BoundedText(64), nullable=False),
    Column("target", BoundedText(512), nullable=False),
    Column("cluster", BoundedText(LABEL_LENGTH), nullable=False),
    Column("app_id", BoundedText(ID_LENGTH), nullable=False),
    Column("task_id", BoundedText(ID_LENGTH), nullable=False),
    Column("status", Integer, nullable=False),
    Column("code", Integer, nullable=False),
    Column("request_id", BoundedText(64), nullable=False),
    Column("key_id", BoundedText(16), nullable=False),
    Column("previous", BoundedText(64), nullable=False),
    Column("hash", BoundedText(64), nullable=False),
    Index(None, "at"),
    Index(None, "app_id", "seq"),
    Index(None, "task_id", "seq"),
    Index(None, "caller", "seq"),
    Index(None, "request_id"),
    Index(None, "operation", "seq"),
    Index(None, "cluster", "seq"),
    **_OPTIONS,
)
"""Calls that change something, each with the hash of the one before: see `spec.audit`. No row is ever changed."""

audit_heads = Table(
    "audit_heads",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("seq", BigInteger, nullable=False),
    Column("hash", BoundedText(64), nullable=False),
    **_OPTIONS,
)
"""One row: what was appended last. Whoever appends locks it, so that all servers append in one order."""

tokens = Table(
    "tokens",
    metadata,
    Column("id", BoundedText(16), primary_key=True),
    Column("name", BoundedText(255), nullable=False),
    Column("owner", BoundedText(255), nullable=False),
    Column("hash", BoundedText(64), nullable=False),
    Column("grants", LongText, nullable=False),
    Column("made_by", BoundedText(255), nullable=False),
    Column("created_at", Timestamp, nullable=False),
    Column("expires_at", Timestamp),
    Column("used_at", Timestamp),
    Column("revoked_at", Timestamp),
    Column("revoked_by", BoundedText(255)),
    Index(None, "owner"),
    **_OPTIONS,
)

sessions = Table(
    "sessions",
    metadata,
    Column("hash", BoundedText(64), primary_key=True),
    Column("name", BoundedText(255), nullable=False),
    Column("groups", LongText, nullable=False),
    Column("token_id", BoundedText(16), ForeignKey("tokens.id", ondelete="CASCADE")),
    Column("subject", BoundedText(64)),
    Column("sid", BoundedText(64)),
    Column("created_at", Timestamp, nullable=False),
    Column("used_at", Timestamp, nullable=False),
    Column("expires_at", Timestamp, nullable=False),
    Index(None, "token_id"),
    Index(None, "subject"),
    Index(None, "sid"),
    Index(None, "expires_at"),
    **_OPTIONS,
)
"""Of browsers: with ``token_id`` what that token may, else what the issuer's groups may.

``subject`` and ``sid`` are digests of what the issuer calls the person, and its own session of them.
"""

one_time = Table(
    "one_time",
    metadata,
    Column("hash", BoundedText(64), primary_key=True),
    Column("expires_at", Timestamp, nullable=False),
    Index(None, "expires_at"),
    **_OPTIONS,
)
"""Digests of what counts once: logins that have begun, and an issuer's messages that were taken."""

write_probes = Table(
    "write_probes",
    metadata,
    Column("id", BoundedText(ID_LENGTH), primary_key=True),
    Column("filler", LongText, nullable=False),
    **_OPTIONS,
)
"""Empty: see `Database.probe_writing`."""
