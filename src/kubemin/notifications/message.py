"""What is sent: the message, and what each template makes of it. Pure."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from kubemin.notifications.targets import FIELDS, Target
from kubemin.spec.characters import visible
from kubemin.spec.names import DEFAULT_CLUSTER, shown
from kubemin.store.outbox import Event

_LONGEST = 2000
"""Characters of a text: a reason may name hundreds of objects."""
_TITLES = {
    "task.created": "{application}: a run was asked for",
    "task.completed": "{application}: completed",
    "task.failed": "{application}: failed",
    "task.timeout": "{application}: timed out",
    "task.cancelled": "{application}: cancelled",
    "cleanup.incomplete": "{application}: the cleanup is incomplete",
    "cleanup.abandoned": "{application}: the cleanup was given up",
    "cleanup.done": "{application}: the cleanup is done after all",
    "drift.began": "{application}: the cluster differs from the current revision",
    "drift.ended": "{application}: the cluster is as the current revision says again",
    "test": "a test message of KubeMin",
}


@dataclass(frozen=True)
class Request:
    """What is sent, but for the address and what is secret. ``path`` is put behind the address."""

    body: bytes
    path: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


def message(event: Event, public_url: str | None) -> dict[str, Any]:
    """The message itself: ``type``, ``timestamp`` and ``data``. Values are as the API has them, shortened.

    The cluster is named where it is not `DEFAULT_CLUSTER`.
    """
    data = {key: _short(value) for key, value in event.data.items() if value not in (None, "")}
    namespace, name = data.pop("namespace", None), data.pop("name", "")
    if data.get("cluster") == DEFAULT_CLUSTER:
        del data["cluster"]
    if name:
        data["application"] = _named(data.get("cluster"), namespace, name).replace("/", "~")
    if public_url:
        data["url"] = page_of(event, public_url)
    return {"type": event.type, "timestamp": _time(event.at), "data": data}


def page_of(event: Event, public_url: str) -> str:
    """The address of the page that tells more."""
    task = event.data.get("taskId")
    where = f"tasks/{quote(task, safe='')}" if task else f"applications/{quote(event.app_id, safe='')}"
    return f"{public_url.rstrip('/')}/#/{where}"


def request_of(target: Target, event: Event, public_url: str | None) -> Request:
    """What the target's template makes of it. Not for statuses of commits."""
    match target.template:
        case "slack":
            return Request(_json({"text": _slack(event, public_url)}))
        case "json":
            return Request(_json(_filled(target.body, fields_of(event, public_url))))
        case _:
            return Request(_json(message(event, public_url)))


def fields_of(event: Event, public_url: str | None) -> dict[str, str]:
    """The fields that a ``json`` template may name, as text; one that there is nothing for is empty."""
    whole = message(event, public_url)
    found = {**event.data, **whole["data"], "type": event.type, "timestamp": whole["timestamp"], "id": event.id}
    found["title"] = title(event)
    return {name: "" if found.get(name) is None else visible(str(found[name])) for name in FIELDS}


def title(event: Event) -> str:
    """One line that says what happened."""
    application = str(event.data.get("name") or event.app_id)
    application = _named(event.data.get("cluster"), event.data.get("namespace"), application)
    text = _TITLES.get(event.type, "{application}: " + event.type)
    if event.data.get("kind") == "delete" and event.type.startswith("task."):
        text = text.replace("{application}", "{application} (removal)")
    return visible(text.replace("{application}", application))


def _named(cluster: str | None, namespace: str | None, name: str) -> str:
    return shown(cluster or DEFAULT_CLUSTER, namespace, name) if namespace else name


def _slack(event: Event, public_url: str | None) -> str:
    data = event.data
    lines = [f"*{_escaped(title(event))}*"]
    if data.get("reason"):
        lines.append(_text(data["reason"]))
    if event.type.startswith("cleanup.") and data.get("remaining"):
        lines.append(f"left: {_text(data['remaining'])}")
    lines += [f"• {_text(one)}" for one in data.get("objects", ())]
    if public_url:
        lines.append(f"<{_escaped(page_of(event, public_url))}|details>")
    return "\n".join(lines)


def _text(value: str) -> str:
    return _escaped(visible(_short(value)))


def _escaped(text: str) -> str:
    """Slack takes these three for its own marks."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _filled(body: Any, fields: Mapping[str, str]) -> Any:
    match body:
        case dict():
            return {key: _filled(value, fields) for key, value in body.items()}
        case list():
            return [_filled(value, fields) for value in body]
        case str():
            return body.format_map(fields)
    return body


def _short(value: Any) -> Any:
    if isinstance(value, str) and len(value) > _LONGEST:
        return value[: _LONGEST - 1] + "…"
    return value


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=True, separators=(",", ":")).encode()


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
