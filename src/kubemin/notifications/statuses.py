"""Statuses of commits, as GitHub and GitLab take them (and Gitea, Forgejo by GitHub's form)."""

import json
from urllib.parse import quote

from kubemin.notifications.message import Request, page_of, title
from kubemin.notifications.targets import Target
from kubemin.spec.names import DEFAULT_CLUSTER
from kubemin.store.outbox import Event

_GITHUB = {
    "task.created": "pending",
    "task.completed": "success",
    "task.failed": "failure",
    "task.timeout": "failure",
    "task.cancelled": "error",
}
_GITLAB = {
    "task.created": "running",
    "task.completed": "success",
    "task.failed": "failed",
    "task.timeout": "failed",
    "task.cancelled": "canceled",
}
_LONGEST = 140
"""Characters of a description: what GitHub takes."""


def status_of(target: Target, event: Event, public_url: str | None, token: str) -> Request:
    """The request that gives the commit its status."""
    commit = event.data["commit"]
    sha = quote(commit["sha"], safe="")
    said = title(event) + (f": {event.data['reason']}" if event.data.get("reason") else "")
    described = " ".join(said.split())
    body = {"description": described if len(described) <= _LONGEST else described[: _LONGEST - 1] + "…"}
    if public_url:
        body["target_url"] = page_of(event, public_url)
    cluster = event.data.get("cluster") or DEFAULT_CLUSTER  # another status for each that has the commit
    context = "/".join([target.context, *([] if cluster == DEFAULT_CLUSTER else [cluster]), event.data["name"]])
    if target.template == "github-status":
        repository = "/".join(quote(part, safe="") for part in commit["repository"].split("/"))
        return Request(
            json.dumps({"state": _GITHUB[event.type], "context": context, **body}).encode(),
            f"/repos/{repository}/statuses/{sha}",
            {
                "authorization": f"Bearer {token}",
                "accept": "application/vnd.github+json",
                "x-github-api-version": "2022-11-28",
            },
        )
    return Request(
        json.dumps({"state": _GITLAB[event.type], "name": context, **body}).encode(),
        f"/projects/{quote(commit['repository'], safe='')}/statuses/{sha}",
        {"private-token": token},
    )
