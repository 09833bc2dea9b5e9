"""Discovery: which groups, versions and resources there are, in the old form and in the aggregated one."""

from collections.abc import Iterator

from kubesim.catalog import Catalog, GroupVersions
from kubesim.custom.definition import priority
from kubesim.custom.resource import CustomResource
from kubesim.jsondata import Object, dump_json
from kubesim.resources import Resource

_JSON = "application/json"
_SUBRESOURCE_KINDS = {"scale": ("autoscaling", "v1", "Scale")}
_SUBRESOURCE_VERBS = {"log": ["get"], "finalize": ["update"]}


def answer(path: str, accept: str | None, catalog: Catalog) -> tuple[bytes, str] | None:
    """Body and content type for a discovery path, or ``None`` if it is not one."""
    parts = [part for part in path.split("/") if part]
    if not parts or parts[0] not in ("api", "apis"):
        return None
    groups = catalog.groups
    if len(parts) == 1:
        return _root(parts[0], accept or "", groups)
    if parts[0] == "api":
        body = _resource_list("", "v1", groups) if parts[1:] == ["v1"] else None
    elif len(parts) == 2:
        body = _group(parts[1], groups) if any(parts[1] == group for group, _ in groups) else None
    elif len(parts) == 3:
        body = _resource_list(parts[1], parts[2], groups) if (parts[1], parts[2]) in groups else None
    else:
        body = None
    return None if body is None else (dump_json(body), _JSON)


def _root(root: str, accept: str, groups: GroupVersions) -> tuple[bytes, str]:
    for clause in accept.split(","):
        options = dict(part.strip().split("=", 1) for part in clause.split(";")[1:] if "=" in part)
        if options.get("as") == "APIGroupDiscoveryList" and (version := options.get("v")) in ("v2", "v2beta1"):
            body = {
                "kind": "APIGroupDiscoveryList",
                "apiVersion": f"apidiscovery.k8s.io/{version}",
                "metadata": {},
                "items": list(_aggregated(groups, core=root == "api")),
            }
            return dump_json(body), f"{_JSON};g=apidiscovery.k8s.io;v={version};as=APIGroupDiscoveryList"
    if root == "api":
        versions: Object = {
            "kind": "APIVersions",
            "versions": ["v1"],
            "serverAddressByClientCIDRs": [{"clientCIDR": "0.0.0.0/0", "serverAddress": "127.0.0.1"}],
        }
        return dump_json(versions), _JSON
    listed = [_group(group, groups) for group in dict.fromkeys(group for group, _ in groups) if group]
    for group in listed:
        del group["kind"], group["apiVersion"]
    return dump_json({"kind": "APIGroupList", "apiVersion": "v1", "groups": listed}), _JSON


def _versions(name: str, groups: GroupVersions) -> list[str]:
    """The versions of a group, the preferred one first."""
    return sorted((version for group, version in groups if group == name), key=priority, reverse=True)


def _group(name: str, groups: GroupVersions) -> Object:
    versions = [{"groupVersion": f"{name}/{version}", "version": version} for version in _versions(name, groups)]
    return {
        "kind": "APIGroup",
        "apiVersion": "v1",
        "name": name,
        "versions": versions,
        "preferredVersion": versions[0],
    }


def _resource_list(group: str, version: str, groups: GroupVersions) -> Object:
    entries: list[Object] = []
    for resource in groups[group, version]:
        entry: Object = {
            "name": resource.plural,
            "singularName": resource.singular,
            "namespaced": resource.namespaced,
            "kind": resource.kind,
            "verbs": _verbs(resource),
        }
        if resource.short_names:
            entry["shortNames"] = list(resource.short_names)
        if resource.categories:
            entry["categories"] = list(resource.categories)
        entries.append(entry)
        for subresource in resource.subresources:
            sub: Object = {
                "name": f"{resource.plural}/{subresource}",
                "singularName": "",
                "namespaced": resource.namespaced,
                "kind": resource.kind,
                "verbs": _SUBRESOURCE_VERBS.get(subresource, ["get", "patch", "update"]),
            }
            if subresource in _SUBRESOURCE_KINDS:
                sub["group"], sub["version"], sub["kind"] = _SUBRESOURCE_KINDS[subresource]
            entries.append(sub)
    body: Object = {
        "kind": "APIResourceList",
        "groupVersion": f"{group}/{version}" if group else version,
        "resources": entries,
    }
    return {"apiVersion": "v1", **body} if group else body


def _verbs(resource: Resource) -> list[str]:
    """What may be done: nothing is made any more of a kind whose definition is on its way out."""
    if isinstance(resource, CustomResource) and resource.terminating:
        return [verb for verb in resource.verbs if verb not in ("create", "patch", "update")]
    return list(resource.verbs)


def _aggregated(groups: GroupVersions, *, core: bool) -> Iterator[Object]:
    for group in dict.fromkeys(group for group, _ in groups):
        if (group == "") is not core:
            continue
        meta: Object = {"creationTimestamp": None}
        if group:
            meta["name"] = group
        yield {
            "metadata": meta,
            "versions": [
                {
                    "version": version,
                    "resources": [_aggregated_resource(resource) for resource in groups[group, version]],
                    "freshness": "Current",
                }
                for version in _versions(group, groups)
            ],
        }


def _aggregated_resource(resource: Resource) -> Object:
    own = {"group": resource.group, "version": resource.version, "kind": resource.kind}
    entry: Object = {
        "resource": resource.plural,
        "responseKind": own,
        "scope": "Namespaced" if resource.namespaced else "Cluster",
        "singularResource": resource.singular,
        "verbs": _verbs(resource),
    }
    if resource.short_names:
        entry["shortNames"] = list(resource.short_names)
    if resource.categories:
        entry["categories"] = list(resource.categories)
    if resource.subresources:
        entry["subresources"] = [
            {
                "subresource": subresource,
                "responseKind": dict(zip(("group", "version", "kind"), _SUBRESOURCE_KINDS[subresource], strict=True))
                if subresource in _SUBRESOURCE_KINDS
                else own,
                "verbs": _SUBRESOURCE_VERBS.get(subresource, ["get", "patch", "update"]),
            }
            for subresource in resource.subresources
        ]
    return entry
