"""The schemas that Kubernetes publishes of its kinds, version by version, in which no unknown field is allowed."""

import json
import re
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import jsonschema_rs

from kubemin.spec.objects import Manifest

OLDEST = (1, 28)
"""The oldest version of Kubernetes that KubeMin is for."""

_VERSION = re.compile(r"v(1\.\d+)\.0-local-strict")
_GROUP = re.compile(r"^([^./]*)(?:\.[^/]*)?/")


def _number(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


def _folder() -> Path:
    found = find_spec("kubernetes_validate")
    assert found is not None
    assert found.origin is not None
    return Path(found.origin).parent / "kubernetes-json-schema"


FOLDERS = {
    found[1]: path
    for path in _folder().iterdir()
    if (found := _VERSION.fullmatch(path.name)) and _number(found[1]) >= OLDEST
}
VERSIONS = sorted(FOLDERS, key=_number)
"""From the oldest to the newest, such as ``1.28``."""
BOTH_ENDS = (VERSIONS[0], VERSIONS[-1])


def is_known(manifest: Manifest, version: str) -> bool:
    """Whether this version of Kubernetes has the kind in this version of its API; it has no custom resources."""
    return _path(manifest["apiVersion"], manifest["kind"], version).exists()


LATER = {
    "sleep": "1.29",
    "matchLabelKeys": "1.29",
    "mismatchLabelKeys": "1.29",
    "appArmorProfile": "1.30",
    "supplementalGroupsPolicy": "1.31",
    "seLinuxChangePolicy": "1.32",
}
"""Fields of the format that came later than `OLDEST`: since which version Kubernetes has them."""


def wrong_with(manifest: Manifest, version: str) -> list[str]:
    """What this version of Kubernetes does not know of, or would refuse, in an object of a kind that it knows.

    Not what is known to have come later: there an application asks for what its cluster does not have.
    """
    return [
        f"{manifest['kind']} of {version}: {'.'.join(map(str, error.instance_path))}: {error.message}"
        for error in _validator(manifest["apiVersion"], manifest["kind"], version).iter_errors(manifest)
        if not _came_later(error, version)
    ]


def _came_later(error: jsonschema_rs.ValidationError, version: str) -> bool:
    if not isinstance(kind := error.kind, jsonschema_rs.ValidationErrorKind.AdditionalProperties):
        return False
    since = [LATER.get(name, version) for name in kind.unexpected]
    return all(_number(one) > _number(version) for one in since)


def _path(api_version: str, kind: str, version: str) -> Path:
    group_and_version = _GROUP.sub(r"\1-", api_version)
    return FOLDERS[version] / f"{kind.lower()}-{group_and_version}.json"


@cache
def _validator(api_version: str, kind: str, version: str) -> Any:
    schema = json.loads(_path(api_version, kind, version).read_text())
    return jsonschema_rs.Draft202012Validator(schema, registry=_definitions(version))


@cache
def _definitions(version: str) -> jsonschema_rs.Registry:
    definitions = json.loads((FOLDERS[version] / "_definitions.json").read_text())
    return jsonschema_rs.Registry([(definitions["$id"], definitions)])
