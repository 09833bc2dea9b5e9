"""What tests of the page do beside it, through the API."""

from typing import Any

import httpx

from tests.waiting import PATIENCE, until_found

ENDED = ("completed", "failed", "timeout", "cancelled")


class Api:
    """Asks a server; what it answers is the envelope's data."""

    def __init__(self, url: str, token: str = "") -> None:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._client = httpx.Client(base_url=f"{url}/api/v1/", headers=headers, timeout=PATIENCE)

    def close(self) -> None:
        """Let go of the connections."""
        self._client.close()

    def get(self, path: str, **query: Any) -> Any:
        """GET."""
        return self._client.get(path, params=query).raise_for_status().json()["data"]

    def post(self, path: str, body: Any) -> Any:
        """POST."""
        return self._client.post(path, json=body).raise_for_status().json()["data"]

    def status(self, method: str, path: str, body: Any = None, **query: Any) -> int:
        """What such a call is answered with."""
        return self._client.request(method, path, json=body, params=query).status_code

    def apply(
        self, name: str, *components: Any, namespace: str = "default", cluster: str = "default", **more: Any
    ) -> str:
        """Run an application; the id of its task."""
        place = {"cluster": cluster, "namespace": namespace}
        application = {"name": name, **place, "component": list(components)}
        task_id: str = self.post("apply", {"application": application, **more})["taskId"]
        return task_id

    def ended(self, task_id: str) -> Any:
        """The task's status, once it and its cleanup are over."""

        def status() -> Any:
            now = self.get(f"workflow/tasks/{task_id}/status")
            over = now["status"] in ENDED and now["cleanup"]["state"] not in ("pending", "running")
            return now if over else None

        return until_found(status, f"{task_id} has not ended")


def conf(name: str, **data: str) -> dict[str, Any]:
    """A ConfigMap."""
    return {"name": name, "type": "config", "properties": {"conf": data}}


def web(name: str, image: str = "web:1", **more: Any) -> dict[str, Any]:
    """A Deployment; images ``web:never`` and ``web:crash`` do in the simulated cluster what they say."""
    return {"name": name, "type": "webservice", "image": image, **more}
