"""``kubemin notifications``: who is told what, once more, and a test."""

import time
from collections.abc import Mapping
from typing import Any

from kubemin.cli.connection import Connection
from kubemin.cli.exits import Exit
from kubemin.cli.language import key, tr
from kubemin.cli.listing import listed
from kubemin.cli.output import ago, moment, say
from kubemin.spec.names import shown


def show(to: Connection, state: str | None, target: str | None, limit: int) -> None:
    """List targets and deliveries."""
    targets: list[Any] = []

    def page(size: int, after: str | None) -> Mapping[str, Any]:
        found = client.notifications(state=state, target=target, page_size=size, after=after)
        targets[:] = found["targets"]
        return found

    with to.client() as client:
        found = listed("deliveries", limit, page)
    if to.output.printed({"targets": targets, **found}, [str(one["id"]) for one in found["deliveries"]]):
        return
    now = time.time()
    whom = [
        (one["name"], _whose(one), str(one["waiting"]), str(one["dead"]), ", ".join(one["on"]) or "-")
        for one in targets
    ]
    of_targets = (key("target"), key("template"), key("waiting"), key("dead"), key("events"))
    to.output.table(of_targets, whom, key("this server tells nobody"), wide=("events",))
    say()
    rows = [
        (
            str(one["id"]),
            one["target"],
            one["type"],
            shown(one["cluster"], one["namespace"], one["name"]) if one["namespace"] else one["name"],
            one["state"],
            str(one["attempts"]),
            ago(one["createTime"], now),
            moment(one.get("nextTime")),
            one["messageId"],
            one["error"] or "-",
        )
        for one in found["deliveries"]
    ]
    columns = (
        key("id"),
        key("target"),
        key("type"),
        key("application"),
        key("state"),
        key("attempts"),
        key("age"),
        key("next"),
        key("message"),
        key("error"),
    )
    to.output.table(columns, rows, key("nothing was sent"), wide=("next", "message"))


def _whose(target: Mapping[str, Any]) -> str:
    if target["here"]:
        return str(target["template"])
    return tr("(another server's)") if target["known"] else tr("(no server's)")


def retry(to: Connection, delivery: int) -> None:
    """Send a message once more."""
    with to.client() as client:
        found = client.retry_notification(delivery)
    if not to.output.printed(found, [str(found["id"])]):
        to.output.tell(tr("message {id} is sent to {target} now", id=str(found["id"]), target=found["target"]))


def send_test(to: Connection, target: str) -> int:
    """Send a test message; 1 when it was not delivered."""
    with to.client() as client:
        found = client.test_notification(target)
    if not to.output.printed(found, [found["target"]]):
        if found["delivered"]:
            to.output.tell(tr("{target} has taken a test message", target=target))
        else:
            say(tr("{target} did not take a test message: {why}", target=target, why=found["error"]))
    return Exit.OK if found["delivered"] else Exit.FAILED
