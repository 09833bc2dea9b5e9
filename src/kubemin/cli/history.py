"""What an application is and was: ``get``, ``history``, ``diff``; and the ways back: ``rollback``, ``restart``."""

import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from kubemin.cli.apply import followed
from kubemin.cli.cells import padded
from kubemin.cli.connection import Connection
from kubemin.cli.exits import CliError, Exit
from kubemin.cli.interrupts import OnSignal, patience, seeing_it_through
from kubemin.cli.language import aside, because, key, tr
from kubemin.cli.output import Form, Output, ago, json_text, moment, say
from kubemin.cli.preview import report
from kubemin.client.errors import NotFound
from kubemin.client.sync import Client
from kubemin.spec.names import shown

if TYPE_CHECKING:
    from kubemin.client.replies import Application, Component, DroppedComponent, RevisionDetail

_LONGEST = 80
_SIGNS = {"create": "+", "delete": "-", "change": "~"}
_REVISION_NOT_FOUND = 10006
_COLUMNS = (
    key("revision"),
    key("state"),
    key("age"),
    key("created"),
    key("user"),
    key("task"),
    key("changes"),
    key("note"),
)


def get(app: str, revision: str | None, to: Connection) -> None:
    """Show a revision of an application, without a number the current one, of a mere draft that.

    As YAML only its application, as it can be applied again; as JSON with how its components do. Raises `CliError`.
    """
    with to.client() as client:
        found = revision_of(client, app, revision)
        names = [part["name"] for part in found["application"]["component"]]
        if to.output.form in (Form.YAML, Form.NAME):
            to.output.printed(found["application"], names)
            return
        about = client.application(app)
        listed = client.components(app)
    states: list[Component | DroppedComponent] = [*listed["components"], *listed["dropped"]]
    deployed = [one for one in states if _is_of(found, one)]
    if not to.output.printed({"appId": about["id"], **found, "components": deployed}, names):
        _print_application(about, found, states, to.output)


def history(app: str, to: Connection) -> None:
    """List the revisions that are kept, the newest first. Raises :class:`CliError`."""
    with to.client() as client:
        found = client.revisions(app)
    if to.output.printed(found, [one["revision"] for one in found["revisions"]]):
        return
    rows = [
        (
            one["revision"],
            one["state"],
            ago(one["createTime"], time.time()),
            moment(one["createTime"]),
            one["user"] or "-",
            one["taskId"],
            _changes(one["changes"]),
            one["note"],
        )
        for one in found["revisions"]
    ]
    to.output.table(_COLUMNS, rows, key("nothing was run yet"), wide=("created", "user"))


def diff(app: str, begin: str | None, end: str | None, to: Connection, *, live: bool) -> int:
    """Show what leads from one side to the other; `Exit.DIFFERS` where they differ. Raises :class:`CliError`.

    Without a side: from what is deployed to the live cluster. With one: from there to what is deployed, or ``live``.
    """
    if live and end is not None:
        raise CliError(tr("--live is the second side: give one revision with it, or none"), Exit.USAGE)
    end = end or ("live" if live or begin is None else "current")
    with to.client() as client:
        found = client.diff(app, begin or "current", end)
    if not (to.output.printed(found, [one["ref"] for one in found["changes"]]) or to.output.quiet):
        longest = None if to.output.form is Form.WIDE else _LONGEST
        for one in found["changes"]:
            say(f"{_SIGNS[one['action']]} {one['ref']}")
            for field in one["fields"]:
                say(f"    {field['path']}: {_short(field['from'], longest)} → {_short(field['to'], longest)}")
        if not found["changes"]:
            say(tr("no difference"))
    return Exit.DIFFERS if found["changes"] else Exit.OK


def rollback(app: str, revision: int | None, options: dict[str, Any], to: Connection, *, wait: OnSignal | None) -> int:
    """Go back to a revision, without a number to the one before the current one. Raises :class:`CliError`."""
    given = {name: value for name, value in options.items() if value is not None}
    dry_run = given.pop("dryRun", False)
    with to.client() as client:
        if dry_run:
            preview = client.preview_rollback(app, revision, **given)
            return report([app], [preview], to.output, exit_of_changes=Exit.DIFFERS)
        with seeing_it_through(wait) as interrupts:
            made = client.rollback(app, revision, patience=patience(), **given)
            name = app.replace("~", "/")
            to.output.tell(tr("application {name}, revision {revision}", name=name, revision=made["revision"]))
            return followed(client, made, to.output, interrupts)


def restart(app: str, components: Sequence[str], to: Connection, *, wait: OnSignal | None) -> int:
    """Replace the Pods of these components, or of all. Raises :class:`CliError`."""
    with to.client() as client, seeing_it_through(wait) as interrupts:
        made = client.restart(app, components, patience=patience())
        return followed(client, made, to.output, interrupts)


def revision_of(client: Client, app: str, revision: str | None) -> "RevisionDetail":
    """That revision; without a number the current one, of a mere draft that. Raises `ClientError`."""
    try:
        return client.revision(app, revision or "current")
    except NotFound as error:
        if revision is not None or error.code != _REVISION_NOT_FOUND:
            raise
    return client.revision(app, "draft")


def _is_of(found: "RevisionDetail", component: "Component | DroppedComponent") -> bool:
    """Whether what is in the cluster of a component is of this revision."""
    deployed = component["deployed"]
    return deployed is not None and deployed["revision"] == found.get("revision")


def _print_application(
    about: "Application", found: "RevisionDetail", states: "Sequence[Component | DroppedComponent]", output: Output
) -> None:
    say(aside(tr("application {name}", name=shown(about["cluster"], about["namespace"], about["name"])), about["id"]))
    if "revision" in found:
        when = f"{found['revision']}, {found['state']}, {moment(found['createTime'])}"
        by = tr("{when} by {user}", when=when, user=found["user"]) if found.get("user") else when
        say(padded(tr("revision"), 12) + because(by, found.get("note")))
        say(padded(tr("task"), 12) + found["taskId"])
    else:
        say(padded(tr("revision"), 12) + tr("none: it is a draft that was never run to its end"))
    say()
    known = {one["name"]: one for one in states}
    rows = []
    for part in found["application"]["component"]:
        now = known.get(part["name"])
        image, count = part.get("image") or "-", part.get("replicas", 1 if part.get("image") else "-")
        state = now["state"] if now and _is_of(found, now) else "-"
        rows.append((part["name"], part["type"], image, count, state, now["lastAbnormal"] if now else ""))
    columns = (
        key("component"),
        key("type"),
        key("image"),
        key("replicas"),
        key("state"),
        key("last trouble"),
    )
    output.table(columns, rows, key("no components"))


def _changes(changes: Mapping[str, Any]) -> str:
    signs = (("added", "+"), ("changed", "~"), ("removed", "-"))
    return " ".join(f"{sign}{name}" for key, sign in signs for name in changes[key]) or "-"


def _short(value: Any, longest: int | None) -> str:
    if value is None:
        return tr("(none)")
    text = json_text(value)
    return text if longest is None or len(text) <= longest else f"{text[: longest - 1]}…"
