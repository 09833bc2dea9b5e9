"""How apply conflicts are told."""

import json
from collections.abc import Mapping

from kubesim.managed.entries import Entry, EntryKey
from kubesim.managed.sets import FieldSet, paths
from kubesim.problems import Problem

__all__ = ["conflict_problem", "path_text"]


def path_text(path: tuple[str, ...]) -> str:
    """A path as the server prints it: ``.spec.template.spec.containers[name="web"].image``."""
    out = []
    for element in path:
        kind, _, text = element.partition(":")
        if kind == "f":
            out.append(f".{text}")
        elif kind == "k":
            pairs = (f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in json.loads(text).items())
            out.append(f"[{','.join(pairs)}]")
        elif kind == "v":
            out.append(f"[={text}]")
        else:
            out.append(f"[{text}]")
    return "".join(out)


def conflict_problem(conflicts: Mapping[EntryKey, FieldSet], entries: Mapping[EntryKey, Entry]) -> Problem:
    """The 409 that names every field and its owner."""
    found = [
        (_describe(key, entries[key]), path_text(path)) for key, fields in conflicts.items() for path in paths(fields)
    ]
    causes = [
        {"reason": "FieldManagerConflict", "message": f"conflict with {owner}", "field": path} for owner, path in found
    ]
    if len(found) == 1:
        owner, path = found[0]
        message = f"Apply failed with 1 conflict: conflict with {owner}: {path}"
    else:
        lines = []
        for owner in sorted({owner for owner, _ in found}):
            lines.append(f"conflicts with {owner}:")
            lines.extend(f"- {path}" for other, path in found if other == owner)
        message = f"Apply failed with {len(found)} conflicts: " + "\n".join(lines)
    return Problem(409, "Conflict", message, causes=causes)


def _describe(key: EntryKey, entry: Entry) -> str:
    text = json.dumps(key.manager, ensure_ascii=False)
    if key.subresource:
        text += f' with subresource "{key.subresource}"'
    if key.operation == "Update":
        text += f" using {key.version}"
    return text
