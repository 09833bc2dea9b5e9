"""``kubemin apply``."""

from typing import Any

from kubemin.cli.cleanup_text import as_it_was, named, numbers
from kubemin.cli.client import Client
from kubemin.cli.exits import Exit
from kubemin.cli.files import load_application
from kubemin.cli.follow import follow
from kubemin.cli.output import print_json, say
from kubemin.cli.preview import report


def apply(file: str, options: dict[str, Any], *, wait: bool, as_json: bool, server: str, token: str | None) -> int:
    """Run the application as the file has it, and with ``wait`` follow the task. Returns the exit code."""
    spec = load_application(file)
    with Client(server, token) as client:
        given = {name: value for name, value in options.items() if value is not None}
        made = client.post("/apply", {"application": spec, **given})
        if given.get("dryRun"):
            return report(made, as_json=as_json)
        application, task_id = client.get(f"/applications/{made['appId']}"), made["taskId"]
        reply = {"application": application, **made}
        if not as_json:
            name = f"{application['namespace']}/{application['name']}"
            say(f"application {name}, revision {made['revision']} ({application['id']})")
            say(f"task {task_id}")
            for one in made["warnings"]:
                say(f"warning: {one['field']}: {one['message']}")
        if not wait:
            if as_json:
                print_json(reply)
            return Exit.OK
        progress = follow(client, task_id, quiet=as_json)
        if as_json:
            print_json({**reply, "task": client.get(f"/workflow/tasks/{task_id}/status")})
        else:
            say(ending(client, task_id))
        return progress.exit


def ending(client: Client, task_id: str) -> str:
    """How a settled task ended, in one paragraph: its status, why, and what of the cluster was put back."""
    status = client.get(f"/workflow/tasks/{task_id}/status")
    cleanup = status["cleanup"]
    text = f"task {task_id} {status['status']}" + (f": {status['reason']}" if status["reason"] else "")
    if "reasonCode" in status:
        text += f"\n{status['reasonCode']}" + (f": {status['advice']}" if "advice" in status else "")
    text += "".join(f"\nwarning: {line}" for line in warnings_of(status))
    if status["status"] == "completed" and (undone := [one["name"] for one in status["components"] if _undone(one)]):
        text += f"\nput back, as their step failed: {', '.join(undone)}"
    match cleanup["state"]:
        case "done" if status["status"] != "completed":
            text += f"\n{as_it_was(cleanup)}"
        case "done" if cleanup["deleted"] or cleanup.get("released") or cleanup["kept"]:
            text += f"\nremoved what the application no longer has: {numbers(cleanup)}"
        case "incomplete" | "abandoned" as state:
            left = "".join(f"\n  {named(one)}: {one['why']}" for one in cleanup["remaining"])
            what = "removal" if status["status"] == "completed" else "cleanup"
            how = "is incomplete and goes on in the background" if state == "incomplete" else "was abandoned"
            text += f"\n{what} {how}; left are:{left}"
    for one in cleanup.get("volumes", []):
        text += f"\n{named(one)}: {one['why']}"
    if status.get("evidence"):
        text += f"\nwhat the Pods of {', '.join(status['evidence'])} said: kubemin logs {task_id}"
    return text


def _undone(component: dict[str, Any]) -> bool:
    """Whether the component of a completed task is as it was before: its step failed, and was put back."""
    return component["status"] in ("failed", "timeout", "cancelled")


def warnings_of(task: dict[str, Any]) -> list[str]:
    """Where the objects of a task are otherwise than the file says."""
    return [f"{part['name']}  {one}" for part in task["components"] for one in part.get("warnings", ())]


def id_named(client: Client, namespace: str, name: str) -> str | None:
    """The id of the application of this name in this namespace."""
    for one in client.get("/applications", search=name[:200])["applications"]:
        if (one["name"], one["namespace"]) == (name, namespace):
            return str(one["id"])
    return None
