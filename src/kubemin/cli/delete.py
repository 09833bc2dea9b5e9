"""``kubemin delete``."""

from typing import Any

from kubemin.cli.asking import confirm, is_asked
from kubemin.cli.client import Connection
from kubemin.cli.ending import ending
from kubemin.cli.exits import Exit
from kubemin.cli.follow import follow
from kubemin.cli.output import print_json, say

_FATES = (
    ("removes", "to delete"),
    ("releases", "to release: it stays, without KubeMin's labels"),
    ("passes", "to pass to another application, which uses it"),
    ("keeps", "to keep: holds data"),
)


def delete(
    name: str, to: Connection, *, keep_resources: bool, delete_volumes: bool, dry_run: bool, yes: bool, wait: bool
) -> int:
    """Delete an application, named as addresses have it.

    Whoever sits at a terminal sees what would become of each object, and is asked.
    """
    how = {"keepResources": keep_resources, "deleteVolumes": delete_volumes}
    asks = is_asked(yes=yes or dry_run, as_json=to.as_json, instead="give --yes to delete what --dry-run --json lists")
    with to.client() as client:
        app_id = str(client.get(f"/applications/{name}")["id"])
        path = f"/applications/{app_id}"
        goes = client.delete(path, **how, dryRun=True)
        if dry_run and to.as_json:
            print_json(goes)
        elif not to.as_json:
            _print_fates(goes)
        if dry_run:
            return Exit.OK
        if asks and not confirm(f"Delete application {name.replace('~', '/')}?"):
            say("nothing was deleted")
            return Exit.OK
        task_id = client.delete(path, **how)["taskId"]
        if not to.as_json:
            say(f"task {task_id}")
        if not wait:
            if to.as_json:
                print_json({"appId": app_id, "taskId": task_id})
            return Exit.OK
        progress = follow(client, task_id, quiet=to.as_json)
        if to.as_json:
            print_json({"appId": app_id, "task": client.get(f"/workflow/tasks/{task_id}/status")})
        else:
            say(ending(client, task_id))
        return progress.exit


def _print_fates(goes: dict[str, Any]) -> None:
    for field, said in _FATES:
        for name in goes[field]:
            say(f"{name}  {said}")
