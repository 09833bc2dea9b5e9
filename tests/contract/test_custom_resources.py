"""Custom resources: what a definition makes of the API, and what the server makes of their objects."""

import asyncio
import contextlib
import copy
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest

from kubemin.cluster import errors
from kubemin.engine.objects.namespace_content import foreign_objects
from kubemin.engine.objects.one_way import never_back, rules_against
from kubemin.engine.objects.ownership import convert_create_to_apply
from kubemin.spec.objects import ObjectRef
from kubesim.custom.rules import are_followed

from .kube import PATCHES, PATIENCE, Json, Kube, Reply, entries, meta

CRDS = "customresourcedefinitions"
CLEANUP = "customresourcecleanup.apiextensions.k8s.io"

SPEC: Json = {
    "type": "object",
    "required": ["size"],
    "properties": {
        "size": {"type": "integer", "minimum": 1, "maximum": 9},
        "mode": {"type": "string", "enum": ["slow", "fast"], "default": "slow"},
        "code": {"type": "string", "pattern": "^[a-z]+$", "maxLength": 3},
        "ports": {
            "type": "array",
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["name"],
            "items": {
                "type": "object",
                "required": ["name"],
                "properties": {"name": {"type": "string"}, "number": {"type": "integer", "default": 80}},
            },
        },
        "tags": {"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "string"}},
        "args": {"type": "array", "items": {"type": "string"}},
        "whole": {
            "type": "object",
            "x-kubernetes-map-type": "atomic",
            "properties": {"a": {"type": "string"}, "b": {"type": "string"}},
        },
        "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
        "share": {"x-kubernetes-int-or-string": True},
    },
}


@dataclass
class Widgets:
    """A kind in a group of the test's own."""

    kube: Kube
    group: str

    @property
    def crd(self) -> str:
        return f"widgets.{self.group}"

    def definition(self, **spec: Any) -> Json:
        schema = {"type": "object", "properties": {"spec": SPEC, "status": SPEC["properties"]["free"]}}
        scale = {"specReplicasPath": ".spec.size", "statusReplicasPath": ".status.size"}
        version = {
            "name": "v1",
            "served": True,
            "storage": True,
            "schema": {"openAPIV3Schema": schema},
            "subresources": {"status": {}, "scale": scale},
        }
        free: Json = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
        older = {"name": "v1beta1", "served": True, "storage": False, "schema": {"openAPIV3Schema": free}}
        return {
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": {"name": self.crd},
            "spec": {
                "group": self.group,
                "scope": "Namespaced",
                "names": {"plural": "widgets", "kind": "Widget"},
                "versions": [version, older],
                **spec,
            },
        }

    def body(self, *, version: str = "v1", **fields: Any) -> Json:
        return {"apiVersion": f"{self.group}/{version}", "kind": "Widget", "metadata": {"name": "one"}, **fields}

    def path(self, name: str = "one", sub: str = "", version: str = "v1") -> str:
        parts = ("/apis", self.group, version, "namespaces", self.kube.namespace, "widgets", name, sub)
        return "/".join(part for part in parts if part)

    async def post(self, spec: Json, **query: Any) -> Reply:
        return await self.kube.call("POST", self.path(""), self.body(spec=spec), **query)

    async def apply(self, spec: Json, *, manager: str = "me", **query: Any) -> Reply:
        return await self.patch(self.body(spec=spec), kind="apply", fieldManager=manager, **query)

    async def patch(self, body: Any, *, kind: str = "merge", sub: str = "", **query: Any) -> Reply:
        return await self.kube.call("PATCH", self.path(sub=sub), body, content_type=PATCHES[kind], **query)

    async def get(self, sub: str = "", version: str = "v1") -> Reply:
        return await self.kube.call("GET", self.path(sub=sub, version=version))


@pytest.fixture
async def undefined(kube: Kube) -> AsyncIterator[Widgets]:
    found = Widgets(kube, f"g{secrets.token_hex(4)}.contract.example.com")
    yield found
    await kube.delete(CRDS, found.crd)


@pytest.fixture
async def widgets(undefined: Widgets) -> Widgets:
    await undefined.kube.make(CRDS, undefined.definition())
    await established(undefined)
    return undefined


async def established(widgets: Widgets) -> Json:
    found = await widgets.kube.until(CRDS, widgets.crd, is_established)
    await widgets.kube.soon("the paths of the kind", lambda: widgets.kube.call("GET", widgets.path("")))
    return found


def is_established(item: Json | None) -> Json | None:
    return item if item is not None and conditions(item).get("Established", ("", ""))[0] == "True" else None


def conditions(item: Json) -> dict[str, tuple[str, str]]:
    listed = item["status"].get("conditions") or ()
    return {each["type"]: (each["status"], each["reason"]) for each in listed}


async def test_a_definition_is_completed_and_accepted(undefined: Widgets) -> None:
    made = await undefined.kube.make(CRDS, undefined.definition())
    names = {"plural": "widgets", "singular": "widget", "kind": "Widget", "listKind": "WidgetList"}
    assert made["spec"]["names"] == names
    assert made["spec"]["conversion"] == {"strategy": "None"}
    assert (meta(made)["generation"], made["status"]["storedVersions"]) == (1, ["v1"])
    found = await established(undefined)
    assert conditions(found) == {
        "NamesAccepted": ("True", "NoConflicts"),
        "Established": ("True", "InitialNamesAccepted"),
    }
    assert found["status"]["acceptedNames"] == names


async def test_what_is_no_structural_schema_is_refused(undefined: Widgets) -> None:
    made = undefined.definition()
    made["spec"]["versions"][0]["schema"]["openAPIV3Schema"] = {"type": "object", "properties": {"spec": {}}}
    reply = await undefined.kube.post(CRDS, made)
    reply.refused(422, "Invalid", "Required value: must not be empty for specified object fields")
    path = "spec.versions[0].schema.openAPIV3Schema.properties[spec].type"
    assert ("FieldValueRequired", path) in reply.causes()


async def test_discovery_names_the_versions(widgets: Widgets) -> None:
    found = (await widgets.kube.soon("discovery", lambda: widgets.kube.call("GET", f"/apis/{widgets.group}"))).ok()
    assert [each["version"] for each in found["versions"]] == ["v1", "v1beta1"]
    listed = (await widgets.kube.call("GET", f"/apis/{widgets.group}/v1")).ok()["resources"]
    assert [each["name"] for each in listed] == ["widgets", "widgets/status", "widgets/scale"]


async def test_unknown_fields_go_and_defaults_come(widgets: Widgets) -> None:
    spec = {"size": 1, "unknown": 2, "ports": [{"name": "a"}], "free": {"any": {"thing": 1}}, "mode": None}
    found = (await widgets.post(spec)).ok(201)["spec"]
    ports = [{"name": "a", "number": 80}]
    assert found == {"size": 1, "mode": "slow", "ports": ports, "free": {"any": {"thing": 1}}}
    reply = await widgets.post({"size": 1, "unknown": 2}, fieldValidation="Strict")
    reply.refused(400, "BadRequest", 'strict decoding error: unknown field "spec.unknown"')


async def test_what_the_schema_forbids_is_told_field_by_field(widgets: Widgets) -> None:
    reply = await widgets.post({"size": 10, "mode": "x", "code": "A", "tags": ["a", "a"], "share": []})
    reply.refused(422, "Invalid", "spec.size in body should be less than or equal to 9")
    assert reply.causes() == {
        ("FieldValueInvalid", "spec.size"),
        ("FieldValueNotSupported", "spec.mode"),
        ("FieldValueInvalid", "spec.code"),
        ("FieldValueDuplicate", "spec.tags[1]"),
        ("FieldValueTypeInvalid", "spec.share"),
    }
    (await widgets.post({})).refused(422, "Invalid", "spec.size: Required value")


async def test_an_apply_owns_what_it_declares_and_merges_by_the_schema(widgets: Widgets) -> None:
    spec = {"size": 1, "ports": [{"name": "a"}], "tags": ["x"], "args": ["x"], "free": {"m": {"n": 1}, "l": [1]}}
    made = (await widgets.apply(spec)).ok(201)
    assert entries(made)["me", "Apply", ""]["f:spec"] == {
        "f:size": {},
        "f:ports": {'k:{"name":"a"}': {".": {}, "f:name": {}}},
        "f:tags": {'v:"x"': {}},
        "f:args": {},
        "f:free": {"f:m": {".": {}, "f:n": {}}, "f:l": {}},
    }
    assert (await widgets.apply(spec)).ok() == made
    more = {"size": 1, "ports": [{"name": "b"}], "tags": ["y"], "free": {"m": {"o": 2}}}
    found = (await widgets.apply(more, manager="other")).ok()["spec"]
    assert [port["name"] for port in found["ports"]] == ["a", "b"]
    assert (sorted(found["tags"]), found["free"]["m"]) == (["x", "y"], {"n": 1, "o": 2})
    refused = await widgets.apply({"size": 1, "args": ["y"]}, manager="other")
    refused.refused(409, "Conflict", 'conflict with "me": .spec.args')
    forced = (await widgets.apply({"size": 1, "args": ["y"]}, manager="other", force="true")).ok()
    assert forced["spec"]["args"] == ["y"]
    left = (await widgets.apply({"size": 1})).ok()["spec"]
    assert "ports" not in left
    (await widgets.apply({"size": 1, "unknown": 1})).refused(500, "", ".spec.unknown: field not declared in schema")


async def test_a_strategic_merge_patch_is_not_understood(widgets: Widgets) -> None:
    (await widgets.apply({"size": 1})).ok(201)
    reply = await widgets.patch({"spec": {"size": 2}}, kind="strategic")
    assert reply.code == 415
    assert (await widgets.patch({"spec": {"size": 2}})).ok()["spec"]["size"] == 2
    patch = [{"op": "replace", "path": "/spec/size", "value": 3}]
    assert (await widgets.patch(patch, kind="json")).ok()["spec"]["size"] == 3


async def test_a_put_needs_the_version(widgets: Widgets) -> None:
    made = (await widgets.apply({"size": 1})).ok(201)
    reply = await widgets.kube.call("PUT", widgets.path(), widgets.body(spec={"size": 2}))
    reply.refused(422, "Invalid", "metadata.resourceVersion: Invalid value: 0: must be specified for an update")
    body = {**made, "spec": {"size": 2}}
    assert (await widgets.kube.call("PUT", widgets.path(), body)).ok()["spec"] == {"size": 2, "mode": "slow"}
    absent = await widgets.kube.call("PUT", widgets.path("two"), {**body, "metadata": {"name": "two"}})
    absent.refused(404, "NotFound")


async def test_the_status_and_the_scale_are_written_by_themselves(widgets: Widgets) -> None:
    made = (await widgets.apply({"size": 1})).ok(201)
    assert "status" not in made
    told = (await widgets.patch({"status": {"size": 4}, "spec": {"size": 5}}, sub="status", fieldManager="c")).ok()
    assert (told["spec"]["size"], told["status"], meta(told)["generation"]) == (1, {"size": 4}, 1)
    assert entries(told)["c", "Update", "status"] == {"f:status": {".": {}, "f:size": {}}}
    scale = (await widgets.patch({"spec": {"replicas": 3}}, sub="scale")).ok()
    assert (scale["kind"], scale["spec"], scale["status"]) == ("Scale", {"replicas": 3}, {"replicas": 4})
    found = (await widgets.get()).ok()
    assert (found["spec"]["size"], meta(found)["generation"]) == (3, 2)
    (await widgets.kube.call("GET", widgets.path(sub="scale", version="v1beta1"))).refused(404, "NotFound")


async def test_between_versions_only_the_version_changes(widgets: Widgets) -> None:
    made = (await widgets.apply({"size": 1})).ok(201)
    other = (await widgets.get(version="v1beta1")).ok()
    assert other["apiVersion"] == f"{widgets.group}/v1beta1"
    assert {**other, "apiVersion": made["apiVersion"]} == made


async def test_a_definition_tells_what_is_of_its_kind(widgets: Widgets) -> None:
    """R10: whatever namespace it is in."""
    definition = ObjectRef("CustomResourceDefinition", "", widgets.crd)
    assert await foreign_objects(widgets.kube.cluster, definition, ()) == []
    made = (await widgets.post({"size": 1})).ok(201)
    assert await foreign_objects(widgets.kube.cluster, definition, ()) == ["Widget/one"]
    assert await foreign_objects(widgets.kube.cluster, definition, [meta(made)["uid"]]) == []


async def test_with_the_definition_all_its_objects_go(widgets: Widgets) -> None:
    kube = widgets.kube
    (await widgets.apply({"size": 1})).ok(201)
    going = (await kube.delete(CRDS, widgets.crd)).ok()
    assert CLEANUP in meta(going)["finalizers"]
    assert conditions(going)["Terminating"][0] == "True"
    await kube.until_gone(CRDS, widgets.crd)
    assert (await widgets.get()).code == 404


async def test_a_kind_that_its_group_serves_in_another_version_is_found_in_a_namespace(widgets: Widgets) -> None:
    """R10: the group prefers v1, as it has Widgets; of the other kind there is v1alpha1 alone, as in the Gateway API.

    Its plural is one that is passed over where the cluster's own objects are meant.
    """
    kube = widgets.kube
    names = {"plural": "leases", "singular": "gadget", "kind": "Gadget"}
    (free,) = (one for one in widgets.definition()["spec"]["versions"] if one["name"] == "v1beta1")
    alpha = {**free, "name": "v1alpha1", "storage": True}
    other = widgets.definition(names=names, versions=[alpha])
    other["metadata"]["name"] = f"leases.{widgets.group}"
    await kube.make(CRDS, other)
    try:
        path = f"/apis/{widgets.group}/v1alpha1/namespaces/{kube.namespace}/leases"
        body = {**widgets.body(version="v1alpha1"), "kind": "Gadget"}
        await kube.until(CRDS, other["metadata"]["name"], is_established)
        await kube.soon("the paths of the kind", lambda: kube.call("GET", path))
        (await kube.call("POST", path, body)).ok(201)
        namespace = ObjectRef("Namespace", "", kube.namespace)
        async with asyncio.timeout(PATIENCE):  # discovery may know a moment late
            while True:
                if "Gadget/one" in await foreign_objects(kube.cluster, namespace, ()):
                    break
                await asyncio.sleep(0.05)
    finally:
        await kube.delete(CRDS, other["metadata"]["name"])


async def test_a_former_definition_is_refused_once_objects_may_be_stored_in_a_version_that_it_lacks(
    undefined: Widgets,
) -> None:
    """Trap 47: so the storage version is a one-way street, until somebody has seen to what is stored."""
    kube = undefined.kube
    before = await kube.make(CRDS, undefined.definition())
    await established(undefined)
    former, older = before["spec"]["versions"]
    later = {**former, "name": "v2", "storage": True}
    change = {"spec": {"versions": [later, {**former, "storage": False}, older]}}
    changed = (await kube.patch(CRDS, undefined.crd, change)).ok()
    assert changed["status"]["storedVersions"] == ["v1", "v2"]
    assert never_back(before, changed)
    back = {**changed, "spec": before["spec"]}
    meta(back).pop("managedFields")
    refusal = await kube.put(CRDS, back)
    refusal.refused(422, "Invalid", "missing from spec.versions; v2 was previously a storage version")
    assert refusal.causes() == {("FieldValueInvalid", "status.storedVersions[1]")}


async def test_a_rule_may_let_a_change_pass_and_refuse_the_way_back(undefined: Widgets) -> None:
    """Trap 47: rules that name ``oldSelf`` judge each change, a restore too."""
    kube = undefined.kube
    if not kube.real and not are_followed():
        pytest.skip("no library for CEL is installed")
    made = undefined.definition()
    size = copy.deepcopy(SPEC)
    size["properties"]["size"]["x-kubernetes-validations"] = [{"rule": "self >= oldSelf", "message": "may only grow"}]
    made["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"] = size
    stored = await kube.make(CRDS, made)
    await established(undefined)
    assert rules_against(stored, "v1", ["spec.size"]) == [
        "a rule of its definition may refuse to take this back: may only grow"
    ]
    before = (await undefined.post({"size": 1})).ok(201)
    changed = (await undefined.patch({"spec": {"size": 2}})).ok()
    back = {**before, "metadata": {**meta(before), "resourceVersion": meta(changed)["resourceVersion"]}}
    for dry_run in ("All", None):
        refusal = await kube.call("PUT", undefined.path(), back, dryRun=dry_run)
        refusal.refused(422, "Invalid", 'spec.size: Invalid value: "integer": may only grow')
        assert refusal.causes() == {("FieldValueInvalid", "spec.size")}


async def test_an_object_is_found_and_deleted_once_its_version_is_not_served_any_more(widgets: Widgets) -> None:
    """Trap 50: it is the same object, of the same version, in each version of its kind that is served."""
    kube, cluster = widgets.kube, widgets.kube.cluster
    made = (await widgets.apply({"size": 1})).ok(201)
    old = ObjectRef(f"Widget.{widgets.group}", kube.namespace, "one", "v1beta1")

    async def until_it_is(version: str) -> Json:
        async with asyncio.timeout(PATIENCE):
            while True:
                with contextlib.suppress(errors.ServerError, errors.NotFound):  # as discovery lags
                    found = await cluster.get(old)
                    if found["apiVersion"] == f"{widgets.group}/{version}":
                        return found
                await asyncio.sleep(0.05)

    assert meta(await until_it_is("v1beta1"))["uid"] == meta(made)["uid"]
    newer, older = (await kube.read(CRDS, widgets.crd))["spec"]["versions"]
    (await kube.patch(CRDS, widgets.crd, {"spec": {"versions": [newer, {**older, "served": False}]}})).ok()
    reply = await kube.soon_gone("its paths", lambda: widgets.get(version="v1beta1"))
    assert reply.body == b"404 page not found\n"  # no Status: this says nothing of the object
    found = await until_it_is("v1")
    assert [meta(found)[key] for key in ("uid", "resourceVersion")] == [
        meta(made)[key] for key in ("uid", "resourceVersion")
    ]
    body = {**widgets.body(version="v1beta1"), "metadata": {"name": "two", "namespace": kube.namespace}}
    with pytest.raises(errors.VersionNotServed, match="in the version v1beta1, but in v1"):
        await cluster.create(body)
    assert await cluster.delete(old, uid=meta(made)["uid"]) is None
    (await widgets.get()).refused(404, "NotFound")


async def test_owners_that_speak_in_a_version_that_is_lost_keep_an_apply_out_until_they_are_renewed(
    widgets: Widgets,
) -> None:
    """Trap 51: kubernetes/kubernetes#111937. Where that is mended, the apply passes at once."""
    kube = widgets.kube
    old = widgets.body(version="v1beta1", spec={"size": 1})
    path = widgets.path(version="v1beta1")
    (await kube.call("PATCH", path, old, content_type=PATCHES["apply"], fieldManager="me")).ok(201)
    newer, _ = (await kube.read(CRDS, widgets.crd))["spec"]["versions"]
    (await kube.patch(CRDS, widgets.crd, {"spec": {"versions": [newer]}})).ok()
    await kube.soon_gone("its paths", lambda: widgets.get(version="v1beta1"))
    live = (await widgets.get()).ok()
    reply = await widgets.apply({"size": 2}, force="true")
    if reply.code != 200:
        reply.refused(500, "", f"request to convert CR to an invalid group/version: {widgets.group}/v1beta1")
        operations = convert_create_to_apply(live, [f"{widgets.group}/v1beta1"])
        renewed = (await widgets.patch(operations, kind="json", fieldManager="me")).ok()
        assert entries(renewed) == entries(live)
        reply = await widgets.apply({"size": 2}, force="true")
    changed = reply.ok()
    assert changed["spec"]["size"] == 2
    assert {entry["apiVersion"] for entry in meta(changed)["managedFields"]} == {f"{widgets.group}/v1"}
