"""``--set COMPONENT.image=…`` and ``--set COMPONENT.env.KEY=…``: one value of an application, for this run."""

import re
from collections.abc import Sequence
from copy import deepcopy
from typing import Any

from kubemin.cli.exits import CliError, Exit
from kubemin.cli.files import Spec
from kubemin.cli.filling import literal
from kubemin.cli.language import because, key, tr

_FORM = re.compile(r"(?:([^/.=]+)/)?([^/.=]+)\.(image|env\.([^=]+))=(.*)", re.DOTALL)
_EXPECTED = key(
    "COMPONENT.image=IMAGE or COMPONENT.env.KEY=VALUE, with several applications APP/COMPONENT.… is expected"
)


def apply_sets(specs: Sequence[Spec], sets: Sequence[str]) -> list[dict[str, Any]]:
    """The applications with what ``sets`` say, which is plain text. Raises :class:`CliError`; values are in no message.

    A component that several applications have is named with its application, ``APP/COMPONENT``.
    """
    changed = [deepcopy(spec.data) if sets else spec.data for spec in specs]
    for text in sets:
        form = _FORM.fullmatch(text)
        if form is None:
            raise CliError(because(f"--set {text.partition('=')[0]}", tr(_EXPECTED)), Exit.USAGE)
        app, component, field, key, value = form.groups()
        found = [
            (spec.name, part)
            for spec, data in zip(specs, changed, strict=True)
            if app in (None, spec.data.get("name"))
            for part in _components(data)
            if part.get("name") == component
        ]
        if len(found) != 1:
            known = ", ".join(str(part.get("name")) for data in changed for part in _components(data))
            why = _several([name for name, _ in found], f"{component}.{field}") if found else _none(known)
            raise CliError(because(f"--set {text.partition('=')[0]}", why), Exit.USAGE)
        _set(found[0][1], key, value)
    return changed


def _several(names: Sequence[str], field: str) -> str:
    return tr("{applications} each have it; write APP/{field}", applications=", ".join(names), field=field)


def _none(known: str) -> str:
    if not known:
        return tr("there is no such component; there is none")
    return tr("there is no such component; there is {components}", components=known)


def _components(data: dict[str, Any]) -> list[dict[str, Any]]:
    parts = data.get("component")
    return [part for part in parts if isinstance(part, dict)] if isinstance(parts, list) else []


def _set(part: dict[str, Any], key: str | None, value: str) -> None:
    properties = part.get("properties")
    if key is None:
        if isinstance(properties, dict):
            properties.pop("image", None)  # the same field, otherwise given twice
        part["image"] = value
        return
    if not isinstance(properties, dict):
        properties = part["properties"] = {}
    if not isinstance(properties.get("env"), dict):
        properties["env"] = {}
    properties["env"][key] = literal(value)
