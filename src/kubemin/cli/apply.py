"""``kubemin apply``."""

from typing import Any

from kubemin.cli.cleanup_text import as_it_was, named, numbers
from kubemin.cli.client import Client
from kubemin.cli.exits import Exit
from kubemin.cli.files import load_application
from kubemin.cli.follow import follow
from kubemin.cli.output import print_json, say


def apply(file: str, options: dict[str, Any], *, wait: bool, as_json: bool, server: str, token: str | None) -> int:
    """Create or save the application, run it, and with ``wait`` follow the task. Returns the exit code."""
    spec = load_application(file)
    with Client(server, token) as client:
        known = id_of(client, spec)
        application = client.post("/applications", {**spec, "id": known} if known else spec)
        body = {"workflowId": application["workflowId"], **{k: v for k, v in options.items() if v is not None}}
        task_id = client.post(f"/applications/{application['id']}/workflow/exec", body)["taskId"]
        if not as_json:
            verb = "saved" if known else "created"
            say(f"application {application['namespace']}/{application['name']} {verb} ({application['id']})")
            say(f"task {task_id}")
        if not wait:
            if as_json:
                print_json({"application": application, "taskId": task_id})
            return Exit.OK
        progress = follow(client, task_id, quiet=as_json)
        if as_json:
            status = client.get(f"/workflow/tasks/{task_id}/status")
            print_json({"application": application, "taskId": task_id, "task": status})
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


def id_of(client: Client, spec: dict[str, Any]) -> str | None:
    """The id under which the server knows the application: the one in the file, else that of its name and namespace."""
    if isinstance(spec.get("id"), str) and spec["id"]:
        return str(spec["id"])
    name = str(spec.get("name") or "").lower()
    namespace = str(spec.get("namespace") or "default")
    return id_named(client, namespace, name) if name else None


def id_named(client: Client, namespace: str, name: str) -> str | None:
    """The id of the application of this name in this namespace."""
    for one in client.get("/applications", search=name[:200])["applications"]:
        if (one["name"], one["namespace"]) == (name, namespace):
            return str(one["id"])
    return None
