"""What the tests deploy."""

from typing import Any

import httpx

from tests.cli.kubemin import Running

READY, NEVER = "web:1", "web:never"


def application(name: str, image: str = READY, value: str = "1") -> dict[str, Any]:
    """A web server and a configuration; with the image `NEVER` it is never ready."""
    conf = {"name": "conf", "type": "config", "properties": {"conf": {"a": value}}}
    web = {"name": "web", "type": "webservice", "image": image, "properties": {"ports": [{"port": 80}]}}
    return {"name": name, "component": [conf, web]}


def cluster(server: Running, name: str) -> dict[str, Any]:
    """What the cluster has of an application: of each object what was asked for."""
    url = server.wait_for(r"simulated cluster at (\S+)")[1]
    paths = ("api/v1/{}/configmaps", "api/v1/{}/services", "apis/apps/v1/{}/deployments")
    found: dict[str, Any] = {}
    for path in paths:
        for item in httpx.get(f"{url}/{path.format('namespaces/default')}").raise_for_status().json()["items"]:
            if item["metadata"]["name"].startswith(f"{name}-"):
                found[f"{path}/{item['metadata']['name']}"] = (
                    item["metadata"]["uid"],
                    item.get("data"),
                    item.get("spec"),
                    item["metadata"].get("labels"),
                )
    return found
