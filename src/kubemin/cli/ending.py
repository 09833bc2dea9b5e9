"""How a task ended, for people."""

from typing import Any

from kubemin.cli.cleanup_text import as_it_was, named, numbers
from kubemin.cli.client import Client


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
