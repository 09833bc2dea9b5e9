"""What the server is at, and the server itself."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Unpack

from kubemin.client.address import below, named
from kubemin.client.options import AuditFilters
from kubemin.client.steps import Call

if TYPE_CHECKING:
    from kubemin.client.replies import (
        Alive,
        AuditPage,
        ClusterList,
        Delivery,
        NotificationList,
        NotificationTest,
        Operations,
        OrphanList,
        Readiness,
    )


def operations(*, cluster: str | None = None) -> "Call[Operations]":
    """Who works on how many tasks, what waits since when, and which cleanups need somebody; of all clusters or one."""
    return Call("GET", below("operations"), {"cluster": cluster})


def clusters() -> "Call[ClusterList]":
    """The clusters that the server knows, how each does, and what there is to do in it."""
    return Call("GET", below("clusters"))


def orphans(*, cluster: str | None = None) -> "Call[OrphanList]":
    """Objects of a cluster, ``default`` without one, that carry a task's label but that no task accounts for."""
    return Call("GET", below("orphans"), {"cluster": cluster})


def delete_orphans(
    uids: Sequence[str], *, delete_volumes: bool | None = None, cluster: str | None = None
) -> "Call[OrphanList]":
    """Delete those of these uids, which a list has shown; 1000 at most. One that was not deleted says why in ``error``.

    To a server with an empty or another database everything that was ever deployed is an orphan, also what runs well.
    """
    if not uids:
        raise ValueError("no uid is given: name what is to be deleted")
    return Call("DELETE", below("orphans"), {"uid": list(uids), "deleteVolumes": delete_volumes, "cluster": cluster})


def notifications(
    *, state: str | None = None, target: str | None = None, page_size: int | None = None, after: str | None = None
) -> "Call[NotificationList]":
    """Whom the server tells what happens, and a page of what was sent, newest first."""
    return Call(
        "GET", below("notifications"), {"state": state, "target": target, "pageSize": page_size, "after": after}
    )


def retry_notification(delivery: int) -> "Call[Delivery]":
    """Send a notification once more, now."""
    return Call("POST", below("notifications", str(delivery), "retry"))


def test_notification(target: str) -> "Call[NotificationTest]":
    """Send a test message to a target, and say what became of it."""
    return Call("POST", below("notifications", "targets", target, "test"))


def audit(
    *, page_size: int | None = None, after: str | None = None, **filters: Unpack[AuditFilters]
) -> "Call[AuditPage]":
    """A page of the calls that may have changed something, newest first; the next one ``after`` its ``nextCursor``.

    ``outcome``: ``done``, ``refused``, ``failed`` or ``unanswered``. Times as RFC 3339, a date, or unix seconds.
    """
    return Call("GET", below("audit"), {**_wanted(filters), "pageSize": page_size, "after": after})


def audit_lines(*, first: int | None = None, limit: int | None = None, **filters: Unpack[AuditFilters]) -> Call[str]:
    """The same rows as JSON lines, oldest first; from the row ``first`` on, ``limit`` of them or all."""
    return Call("GET", below("audit", "export"), {**_wanted(filters), "from": first, "limit": limit}, as_text=True)


def _wanted(filters: AuditFilters) -> dict[str, Any]:
    given: dict[str, Any] = {**dict.fromkeys(AuditFilters.__annotations__), **filters}
    given |= {name: named(given[name]) for name in ("app", "task") if given[name] is not None}
    return {"requestId": given.pop("request_id"), **given}


def alive() -> "Call[Alive]":
    """Whether the process answers, and its version."""
    return Call("GET", "/healthz")


def ready() -> "Call[Readiness]":
    """Whether it can do its work. `Busy` where its database is away, with what is wrong in ``fields``."""
    return Call("GET", "/readyz")
