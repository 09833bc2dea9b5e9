"""``kubemin delete``."""

import sys
from typing import Any

import typer

from kubemin.cli.apply import ending
from kubemin.cli.client import Client
from kubemin.cli.exits import CliError, Exit
from kubemin.cli.follow import follow
from kubemin.cli.output import print_json, say

_FATES = (
    ("removes", "to delete"),
    ("releases", "to release: it stays, without KubeMin's labels"),
    ("passes", "to pass to another application, which uses it"),
    ("keeps", "to keep: holds data"),
)


def delete(
    name: str,
    *,
    keep_resources: bool,
    delete_volumes: bool,
    dry_run: bool,
    yes: bool,
    wait: bool,
    as_json: bool,
    server: str,
    token: str | None,
) -> int:
    """Delete an application; whoever sits at a terminal sees what would become of each object, and is asked."""
    how = {"keepResources": keep_resources, "deleteVolumes": delete_volumes}
    asks = not yes and not dry_run and sys.stdin.isatty()
    if asks and as_json:
        raise CliError("with --json nobody is asked: give --yes to delete what --dry-run --json lists", Exit.USAGE)
    with Client(server, token) as client:
        app_id = _id_of(client, name)
        path = f"/applications/{app_id}"
        goes = client.delete(path, **how, dryRun=True)
        if dry_run and as_json:
            print_json(goes)
        elif not as_json:
            _print_fates(goes)
        if dry_run:
            return Exit.OK
        if asks and not typer.confirm(f"Delete application {name}?", err=True):
            say("nothing was deleted")
            return Exit.OK
        task_id = client.delete(path, **how)["taskId"]
        if not as_json:
            say(f"task {task_id}")
        if not wait:
            if as_json:
                print_json({"appId": app_id, "taskId": task_id})
            return Exit.OK
        progress = follow(client, task_id, quiet=as_json)
        if as_json:
            print_json({"appId": app_id, "task": client.get(f"/workflow/tasks/{task_id}/status")})
        else:
            say(ending(client, task_id))
        return progress.exit


def _print_fates(goes: dict[str, Any]) -> None:
    for field, said in _FATES:
        for name in goes[field]:
            say(f"{name}  {said}")


def _id_of(client: Client, name: str) -> str:
    """The id of an application that a person names by its id, its name, or ``namespace/name``."""
    namespace, _, plain = name.rpartition("/")
    found = client.get("/applications", search=plain[:200])["applications"]
    wanted = namespace or "default"
    ids = [str(one["id"]) for one in found if (one["namespace"], one["name"]) == (wanted, plain)]
    if not ids and not (name.isascii() and name.isalnum()):  # only what can be an id becomes part of an address
        raise CliError(f"there is no application {name}; `kubemin apps` lists them")
    return ids[0] if ids else name
