"""What the controllers that make Pods themselves do alike: each Pod that they make or delete has its event."""

from typing import ClassVar

from kubesim.controllers.hub import Controller
from kubesim.jsondata import Object
from kubesim.problems import Problem


class PodMaker(Controller):
    """A controller that makes and deletes Pods for its objects."""

    component: ClassVar[str]
    """Its name, as events have it."""

    def create_pod(self, owner: Object, pod: Object) -> None:
        """Make a Pod. Raises `Problem`, which is an event as well."""
        try:
            made = self.hub.create("pods", pod)
        except Problem as problem:
            self.event(owner, "Warning", "FailedCreate", f"Error creating: {problem.message}")
            raise
        self.event(owner, "Normal", "SuccessfulCreate", f"Created pod: {made['metadata']['name']}")

    def delete_pod(self, owner: Object, pod: Object) -> None:
        """Delete a Pod. Raises `Problem`."""
        self.hub.delete("pods", pod)
        self.event(owner, "Normal", "SuccessfulDelete", f"Deleted pod: {pod['metadata']['name']}")

    def event(self, owner: Object, kind: str, reason: str, message: str) -> None:
        """Record an event about an object."""
        self.hub.recorder.record(owner, kind, reason, message, component=self.component)
