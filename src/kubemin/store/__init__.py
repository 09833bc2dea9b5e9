"""The database: tables, repositories, migrations. Nothing else imports SQLAlchemy.

A repository is a module by table (``tasks``, ``jobs``, ``journal``, ``events``, ``applications``, ``components``,
``workflows``, ``revisions``, ``shares``, ``kinds``, ``outbox``, ``deliveries``, ``drifts``, ``duties``, ``audit``), or
by a question about several (``drafts``, ``holdings``, ``overview``, ``pruning``); its functions take a transaction
(`Tx`) first. The caller opens the transactions: changes that belong together are made in one. All times are the
database's.
"""

from kubemin.store import (
    applications,
    audit,
    components,
    deliveries,
    drafts,
    drifts,
    duties,
    events,
    evidence,
    holdings,
    jobs,
    journal,
    kinds,
    outbox,
    overview,
    pruning,
    revisions,
    sealing_keys,
    shares,
    tasks,
    workflows,
)
from kubemin.store.backends.base import Hook
from kubemin.store.database import Database
from kubemin.store.errors import (
    BadUrl,
    CommitUnknown,
    Deadlock,
    Duplicate,
    Full,
    LeaseLost,
    Locked,
    SchemaOutdated,
    StoreError,
    Unavailable,
    Unreadable,
    Unstorable,
)
from kubemin.store.tasks import Task
from kubemin.store.transaction import Codec, Tx

__all__ = [
    "BadUrl",
    "Codec",
    "CommitUnknown",
    "Database",
    "Deadlock",
    "Duplicate",
    "Full",
    "Hook",
    "LeaseLost",
    "Locked",
    "SchemaOutdated",
    "StoreError",
    "Task",
    "Tx",
    "Unavailable",
    "Unreadable",
    "Unstorable",
    "applications",
    "audit",
    "components",
    "deliveries",
    "drafts",
    "drifts",
    "duties",
    "events",
    "evidence",
    "holdings",
    "jobs",
    "journal",
    "kinds",
    "outbox",
    "overview",
    "pruning",
    "revisions",
    "sealing_keys",
    "shares",
    "tasks",
    "workflows",
]
