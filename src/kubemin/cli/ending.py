"""How a task ended, for people and for programs."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kubemin.cli.by_code import advice
from kubemin.cli.cleanup_text import as_it_was, named, numbers
from kubemin.cli.language import because, tr
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
    def of(cls, task: "Task", client: Client) -> "Ending":
        """Ask the server for the addresses. Raises `KubeminError`."""
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
            output.tell(f"{tr('address')}  {one['component']}  {one['address']}")


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
    ended = tr("task {task} {status}", task=status["taskId"], status=status["status"])
    text = because(ended, status["reason"])
    if "reasonCode" in status:
        text += f"\n{because(status['reasonCode'], advice(status))}"
    text += "".join(f"\n{tr('warning: {what}', what=line)}" for line in warnings_of(status))
    if status["status"] == "completed" and (undone := [one["name"] for one in status["components"] if _undone(one)]):
        text += "\n" + tr("put back, as their step failed: {components}", components=", ".join(undone))
    match cleanup["state"]:
        case "done" if status["status"] != "completed":
            text += f"\n{as_it_was(cleanup)}"
        case "done" if cleanup["deleted"] or cleanup.get("released") or cleanup["kept"]:
            text += "\n" + tr("removed what the application no longer has: {counts}", counts=numbers(cleanup))
        case "incomplete" | "abandoned" as state:
            text += "\n" + _left(state, removal=status["status"] == "completed")
            text += "".join(f"\n  {because(named(one), one['why'])}" for one in cleanup["remaining"])
    for one in cleanup.get("volumes", []):
        text += f"\n{because(named(one), one['why'])}"
    if status.get("evidence"):
        said = tr(
            "what the Pods of {components} said: kubemin logs {task}",
            components=", ".join(status["evidence"]),
            task=status["taskId"],
        )
        text += f"\n{said}"
    return text


def _left(state: str, *, removal: bool) -> str:
    if state == "incomplete":
        if removal:
            return tr("removal is incomplete and goes on in the background; left are:")
        return tr("cleanup is incomplete and goes on in the background; left are:")
    return tr("removal was abandoned; left are:") if removal else tr("cleanup was abandoned; left are:")


def _undone(component: "TaskComponent") -> bool:
    """Whether the component of a completed task is as it was before: its step failed, and was put back."""
    return component["status"] in ("failed", "timeout", "cancelled")


def warnings_of(task: "Task") -> list[str]:
    """Where the objects of a task are otherwise than the file says."""
    return [f"{part['name']}  {one}" for part in task["components"] for one in part.get("warnings", ())]
