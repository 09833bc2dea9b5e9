"""What a URL names: a collection, an object, one of its subresources, or nothing."""

from dataclasses import dataclass
from urllib.parse import unquote

from kubesim.catalog import Catalog
from kubesim.custom.resource import CustomResource
from kubesim.problems import Problem, not_found
from kubesim.resources import GROUP_VERSIONS, Resource


@dataclass(frozen=True, slots=True)
class Target:
    """A resource, and as much of an object's name as the URL holds."""

    resource: Resource
    namespace: str = ""
    name: str = ""
    subresource: str = ""


class NoSuchPath(Exception):
    """The URL is not one of the API server's: a plain 404 page."""


def parse(path: str, catalog: Catalog) -> Target:
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
    if rest and rest[-1] == "":
        rest.pop()
    namespace = ""
    if len(rest) > 2 and rest[0] == "namespaces" and (group or rest[2] not in ("status", "finalize")):
        namespace, rest = rest[1], rest[2:]
    resource = catalog.paths.get((group, version, rest[0])) if rest else None
    if resource is None and (group, version) not in GROUP_VERSIONS:
        raise NoSuchPath
    name = rest[1] if len(rest) > 1 else ""
    subresource = rest[2] if len(rest) > 2 else ""
    misplaced = resource is not None and (
        bool(namespace and not resource.namespaced) or bool(name and resource.namespaced and not namespace)
    )
    if misplaced and isinstance(resource, CustomResource):
        raise NoSuchPath
    if resource is None or misplaced or len(rest) > 3:
        raise nothing_there()
    if subresource and subresource not in resource.subresources:
        raise not_found(resource, name) if isinstance(resource, CustomResource) else nothing_there()
    return Target(resource, namespace, name, subresource)


def nothing_there() -> Problem:
    """404: no resource has such a path."""
    return Problem(404, "NotFound", "the server could not find the requested resource", details={})
