"""How a task ended, for people and for programs."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kubemin.cli.cleanup_text import as_it_was, named, numbers
from kubemin.cli.output import Output, say
from kubemin.client.errors import NotFound
from kubemin.client.sync import Client

if TYPE_CHECKING:
    from kubemin.client.replies import Task, TaskComponent

_REACHED = ("Ingress", "LoadBalancer")


@dataclass(frozen=True)
class Ending:
    """A settled task, and where what it deployed is reached."""

    task: "Task"
    addresses: list[dict[str, str]]

    @classmethod
    def of(cls, client: Client, task_id: str) -> "Ending":
        """Ask the server. Raises `KubeminError`."""
        task = client.task(task_id)
        return cls(task, _addresses(client, task["appId"]) if task["status"] == "completed" else [])

    @property
    def text(self) -> str:
        """How it ended, in one paragraph."""
        return ending(self.task)

    def to_json(self) -> dict[str, Any]:
        """For programs."""
        return {"task": self.task, "addresses": self.addresses}

    def tell(self, output: Output) -> None:
        """Say it; with ``-q`` only where the task did not complete."""
        if not output.quiet or self.task["status"] != "completed" or self.task["cleanup"]["remaining"]:
            say(self.text)
        for one in self.addresses:
            output.tell(f"address  {one['component']}  {one['address']}")


def _addresses(client: Client, app_id: str) -> list[dict[str, str]]:
    """Where the components are reached from outside: hosts of Ingresses, addresses of load balancers."""
    try:
        found = client.components(app_id)["components"]
    except NotFound:  # it was deleted
        return []
    return [
        {"component": part["name"], "type": link["type"], "address": link["value"]}
        for part in found
        for link in part.get("externalLinks", ())
        if link["type"] in _REACHED
    ]


def ending(status: "Task") -> str:
    """How a settled task ended, in one paragraph: its status, why, and what of the cluster was put back."""
    cleanup = status["cleanup"]
    text = f"task {status['taskId']} {status['status']}" + (f": {status['reason']}" if status["reason"] else "")
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
        text += f"\nwhat the Pods of {', '.join(status['evidence'])} said: kubemin logs {status['taskId']}"
    return text


def _undone(component: "TaskComponent") -> bool:
    """Whether the component of a completed task is as it was before: its step failed, and was put back."""
    return component["status"] in ("failed", "timeout", "cancelled")


def warnings_of(task: "Task") -> list[str]:
    """Where the objects of a task are otherwise than the file says."""
    return [f"{part['name']}  {one}" for part in task["components"] for one in part.get("warnings", ())]
