"""Merge patches (RFC 7386)."""

from typing import Any

__all__ = ["merge_patch"]


def merge_patch(obj: Any, patch: Any) -> Any:
    """The object after the patch: maps are merged, null removes, everything else replaces."""
    if not isinstance(patch, dict):
        return patch
    out = dict(obj) if isinstance(obj, dict) else {}
    for key, value in patch.items():
        if value is None:
            out.pop(key, None)
        elif isinstance(value, dict):
            out[key] = merge_patch(out.get(key), value)
        else:
            out[key] = value
    return out
