"""How a cleanup went, in words. It says no more than is true. Pure."""

from collections.abc import Mapping
from typing import Any

from kubemin.cli.language import because, key, tr

_NUMBERS = {
    "created": key("{count} created"),
    "deleted": key("{count} deleted"),
    "restored": key("{count} restored"),
    "unchanged": key("{count} unchanged"),
    "released": key("{count} released"),
    "kept": key("{count} kept"),
}


def numbers(cleanup: Mapping[str, Any], *, created: bool = False) -> str:
    """What became of the objects: ``2 deleted, 1 restored``; empty where there are none."""
    shown = [name for name in _NUMBERS if cleanup.get(name) and (created or name != "created")]
    return tr(", ").join(tr(_NUMBERS[name], count=cleanup[name]) for name in shown)


def as_it_was(cleanup: Mapping[str, Any]) -> str:
    """That the cluster is as it was before a task that did not complete: with what is not, and why."""
    counted = numbers(cleanup)
    if not cleanup.get("exceptions"):
        return because(tr("the cluster is as it was"), counted)
    lines = [f"  {because(named(one), one['why'])}" for one in cleanup["exceptions"]]
    if counted:
        return "\n".join([tr("the cluster is as it was ({counts}), except:", counts=counted), *lines])
    return "\n".join([tr("the cluster is as it was, except:"), *lines])


def named(one: Mapping[str, Any]) -> str:
    """``Kind/namespace/name``."""
    return "/".join(part for part in (one["kind"], one["namespace"], one["name"]) if part)
