"""What a URL names: a collection, an object, one of its subresources, or nothing."""

from dataclasses import dataclass
from urllib.parse import unquote

from kubesim.problems import Problem
from kubesim.resources import BY_PATH, GROUP_VERSIONS, Resource


@dataclass(frozen=True, slots=True)
class Target:
    """A resource, and as much of an object's name as the URL holds."""

    resource: Resource
    namespace: str = ""
    name: str = ""
    subresource: str = ""


class NoSuchPath(Exception):
    """The URL is not one of the API server's: a plain 404 page."""


def parse(path: str) -> Target:
    """Read the path of a resource request, which starts with ``/api/`` or ``/apis/``."""
    parts = path.split("/")[1:]
    if "%" in path:
        parts = [unquote(part) for part in parts]
    if parts[0] == "api":
        group, version, rest = "", parts[1], parts[2:]
    elif len(parts) > 3:
        group, version, rest = parts[1], parts[2], parts[3:]
    else:
        raise NoSuchPath
    if (group, version) not in GROUP_VERSIONS:
        raise NoSuchPath
    if rest and rest[-1] == "":
        rest.pop()
    namespace = ""
    if len(rest) > 2 and rest[0] == "namespaces" and (group or rest[2] not in ("status", "finalize")):
        namespace, rest = rest[1], rest[2:]
    resource = BY_PATH.get((group, version, rest[0])) if rest else None
    name = rest[1] if len(rest) > 1 else ""
    subresource = rest[2] if len(rest) > 2 else ""
    if (
        resource is None
        or len(rest) > 3
        or (namespace and not resource.namespaced)
        or (name and resource.namespaced and not namespace)
        or (subresource and subresource not in resource.subresources)
    ):
        raise Problem(404, "NotFound", "the server could not find the requested resource", details={})
    return Target(resource, namespace, name, subresource)
