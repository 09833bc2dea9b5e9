"""Server-side apply: whose field is whose, and what that means for taking something over and giving it back."""

from typing import Any

import pytest

from tests.manifests import configmap, deployment, ingress, role, service, statefulset

from .kube import Json, Kube, entries, meta, owners

OTHER_UID = "00000000-0000-0000-0000-000000000000"
FORCE = {"force": "true"}


async def test_an_apply_creates_and_owns_what_it_declares(kube: Kube) -> None:
    made = (await kube.apply("deployments", deployment())).ok(201)
    (entry,) = meta(made)["managedFields"]
    assert (entry["manager"], entry["operation"], entry["apiVersion"]) == ("me", "Apply", "apps/v1")
    assert entry["fieldsType"] == "FieldsV1"
    assert entry["time"].endswith("Z")
    assert "subresource" not in entry
    assert entry["fieldsV1"] == {
        "f:spec": {
            "f:replicas": {},
            "f:selector": {},
            "f:template": {
                "f:metadata": {"f:labels": {"f:app": {}}},
                "f:spec": {"f:containers": {'k:{"name":"app"}': {".": {}, "f:image": {}, "f:name": {}}}},
            },
        }
    }


async def test_a_repetition_changes_nothing(kube: Kube) -> None:
    made = (await kube.apply("configmaps", configmap(labels={"a": "b"}))).ok(201)
    assert (await kube.apply("configmaps", configmap(labels={"a": "b"}))).ok() == made


async def test_what_is_no_longer_declared_goes(kube: Kube) -> None:
    labels = {"a": "b", "c": "d"}
    (await kube.apply("configmaps", configmap(data={"x": "1", "y": "2"}, labels=labels))).ok(201)
    changed = (await kube.apply("configmaps", configmap(data={"x": "1"}, labels={"a": "b"}))).ok()
    assert changed["data"] == {"x": "1"}
    assert meta(changed)["labels"] == {"a": "b"}


@pytest.mark.parametrize("what", ["labels", "annotations"])
async def test_the_last_of_the_metadata_may_go(kube: Kube, what: str) -> None:
    """Nobody owns an object's name; it stays, though with the last label nothing of the metadata is owned any more."""
    made = (await kube.apply("configmaps", {**configmap(), "metadata": {"name": "web", what: {"a": "b"}}})).ok(201)
    changed = (await kube.apply("configmaps", configmap())).ok()
    assert what not in meta(changed)
    assert meta(changed)["uid"] == meta(made)["uid"]


async def test_what_is_no_longer_declared_stays_if_another_owns_it_too(kube: Kube) -> None:
    (await kube.apply("configmaps", configmap(data={"x": "1", "y": "2"}))).ok(201)
    (await kube.apply("configmaps", configmap(data={"y": "2"}), manager="other")).ok()
    changed = (await kube.apply("configmaps", configmap(data={"x": "1"}))).ok()
    assert changed["data"] == {"x": "1", "y": "2"}
    assert owners(changed, "data", "y") == {"other"}


async def test_a_field_of_another_is_a_conflict_unless_forced(kube: Kube) -> None:
    (await kube.apply("configmaps", configmap(data={"x": "1", "y": "2"}), manager="other")).ok(201)
    refusal = await kube.apply("configmaps", configmap(data={"x": "9", "z": "3"}))
    body = refusal.refused(409, "Conflict", 'Apply failed with 1 conflict: conflict with "other"')
    assert ".data.x" in body["message"]
    assert refusal.causes() == {("FieldManagerConflict", ".data.x")}
    taken = (await kube.apply("configmaps", configmap(data={"x": "9", "z": "3"}), **FORCE)).ok()
    assert taken["data"] == {"x": "9", "y": "2", "z": "3"}
    assert [owners(taken, "data", key) for key in "xyz"] == [{"me"}, {"other"}, {"me"}]


async def test_an_equal_value_is_owned_by_both(kube: Kube) -> None:
    (await kube.apply("configmaps", configmap(data={"x": "1"}), manager="other")).ok(201)
    shared = (await kube.apply("configmaps", configmap(data={"x": "1"}))).ok()
    assert owners(shared, "data", "x") == {"me", "other"}


async def test_a_put_back_leaves_ownership_behind_and_a_second_put_gives_it_back(kube: Kube) -> None:
    """Trap 1, from the forced apply to the exact restore."""
    (await kube.apply("configmaps", configmap(data={"x": "1", "y": "2"}), manager="theirs")).ok(201)
    before = await kube.read("configmaps", "web")
    taken = (await kube.apply("configmaps", configmap(data={"x": "9"}), **FORCE)).ok()

    back = {**before, "metadata": {**meta(before), "resourceVersion": meta(taken)["resourceVersion"]}}
    back["metadata"].pop("managedFields")
    once = (await kube.put("configmaps", back)).ok()
    assert once["data"] == before["data"]
    assert ("me", "Update", "") in entries(once)
    assert owners(once, "data", "x") == {"me"}
    refusal = await kube.apply("configmaps", configmap(data={"x": "2", "y": "2"}), manager="theirs")
    refusal.refused(409, "Conflict")

    back["metadata"] |= {
        "resourceVersion": meta(once)["resourceVersion"],
        "managedFields": meta(before)["managedFields"],
    }
    twice = (await kube.put("configmaps", back)).ok()
    assert entries(twice) == entries(before)
    theirs = (await kube.apply("configmaps", configmap(data={"y": "3"}), manager="theirs")).ok()
    assert theirs["data"] == {"y": "3"}


async def test_one_put_with_values_and_recorded_ownership_does_not_give_it_back(kube: Kube) -> None:
    """Why R4 needs two: the changed values of the same request are counted as its sender's."""
    (await kube.apply("configmaps", configmap(data={"x": "1"}), manager="theirs")).ok(201)
    before = await kube.read("configmaps", "web")
    taken = (await kube.apply("configmaps", configmap(data={"x": "9"}), **FORCE)).ok()
    back = {**before, "metadata": {**meta(before), "resourceVersion": meta(taken)["resourceVersion"]}}
    once = (await kube.put("configmaps", back)).ok()
    assert once["data"] == before["data"]
    assert "me" in owners(once, "data", "x")


async def test_an_empty_entry_wipes_all_ownership(kube: Kube) -> None:
    made = (await kube.apply("configmaps", configmap())).ok(201)
    sent = {**made, "metadata": {**meta(made), "managedFields": [{}]}}
    assert entries((await kube.put("configmaps", sent)).ok()) == {}
    # Values that nobody owns are counted as of before the first apply.
    refusal = await kube.apply("configmaps", configmap(data={"a": "2"}), manager="other")
    refusal.refused(409, "Conflict", 'conflict with "before-first-apply"')
    forced = (await kube.apply("configmaps", configmap(data={"a": "2"}), manager="other", **FORCE)).ok()
    assert owners(forced, "data", "a") == {"other"}


async def test_an_update_entry_keeps_what_an_apply_drops_until_it_is_turned_into_an_apply(kube: Kube) -> None:
    """Trap 10 and R3."""
    made = await kube.make("configmaps", configmap(data={"x": "1", "y": "2"}))
    kept = (await kube.apply("configmaps", configmap(data={"x": "1"}))).ok()
    assert kept["data"] == {"x": "1", "y": "2"}
    assert set(entries(kept)) == {("me", "Update", ""), ("me", "Apply", "")}

    made = await kube.make("configmaps", configmap("second", data={"x": "1", "y": "2"}))
    steps = [
        {"op": "test", "path": "/metadata/resourceVersion", "value": meta(made)["resourceVersion"]},
        {"op": "test", "path": "/metadata/managedFields/0/manager", "value": "me"},
        {"op": "replace", "path": "/metadata/managedFields/0/operation", "value": "Apply"},
    ]
    turned = (await kube.patch("configmaps", "second", steps, kind="json")).ok()
    assert set(entries(turned)) == {("me", "Apply", "")}
    dropped = (await kube.apply("configmaps", configmap("second", data={"x": "1"}))).ok()
    assert dropped["data"] == {"x": "1"}


async def test_uid_and_version_on_an_absent_object(kube: Kube) -> None:
    """Trap 4: a uid is honoured, a resourceVersion alone is not."""
    (await kube.apply("configmaps", configmap(uid=OTHER_UID))).refused(409, "Conflict", "uid mismatch")
    (await kube.apply("configmaps", configmap(uid=OTHER_UID, resourceVersion="1"))).refused(409, "Conflict")
    (await kube.get("configmaps", "web")).refused(404, "NotFound")
    (await kube.apply("configmaps", configmap(resourceVersion="1"))).ok(201)


async def test_uid_and_version_on_a_present_object(kube: Kube) -> None:
    made = await kube.make("configmaps", configmap())
    uid, version = meta(made)["uid"], meta(made)["resourceVersion"]
    wrong_uid = configmap(uid=OTHER_UID, resourceVersion=version)
    (await kube.apply("configmaps", wrong_uid, **FORCE)).refused(422, "Invalid", "metadata.uid")
    (await kube.apply("configmaps", configmap(uid=uid, resourceVersion="1"), **FORCE)).refused(409, "Conflict")
    assert await kube.read("configmaps", "web") == made
    both = configmap(data={"b": "2"}, uid=uid, resourceVersion=version)
    applied = (await kube.apply("configmaps", both, **FORCE)).ok()
    assert applied["data"] == {"a": "1", "b": "2"}
    assert entries(applied)["me", "Apply", ""] == {"f:data": {"f:b": {}}}


@pytest.mark.parametrize(
    ("plural", "body"),
    [
        ("deployments", deployment()),
        ("statefulsets", statefulset()),
        ("services", service()),
        ("ingresses", ingress()),
        ("roles", role()),
    ],
    ids=["deployments", "statefulsets", "services", "ingresses", "roles"],
)
async def test_preconditions_hold_for_every_kind(kube: Kube, plural: str, body: Json) -> None:
    name = body["metadata"]["name"]

    def with_meta(**more: Any) -> Json:
        return {**body, "metadata": {"name": name, "labels": {"a": "b"}, **more}}

    (await kube.apply(plural, with_meta(uid=OTHER_UID))).refused(409, "Conflict")
    made = await kube.make(plural, body)
    version = meta(made)["resourceVersion"]
    (await kube.apply(plural, with_meta(uid=OTHER_UID), **FORCE)).refused(422, "Invalid")
    (await kube.patch(plural, name, {"metadata": {"annotations": {"moved": "yes"}}})).ok()
    (await kube.apply(plural, with_meta(uid=meta(made)["uid"], resourceVersion=version), **FORCE)).refused(
        409, "Conflict"
    )
    assert "labels" not in meta(await kube.read(plural, name))


@pytest.mark.parametrize(
    ("query", "code"),
    [({"manager": None}, 422), ({"manager": "x" * 129}, 422), ({"manager": "a\nb"}, 422)],
    ids=["none", "too long", "unprintable"],
)
async def test_a_manager_is_needed(kube: Kube, query: Json, code: int) -> None:
    (await kube.apply("configmaps", configmap(), **query)).refused(code, "Invalid", "fieldManager")


async def test_force_is_for_apply_only(kube: Kube) -> None:
    await kube.make("configmaps", configmap())
    (await kube.patch("configmaps", "web", {}, **FORCE)).refused(422, "Invalid", "force")


async def test_managed_fields_must_not_be_applied(kube: Kube) -> None:
    sent = configmap(managedFields=[{"manager": "me", "operation": "Apply", "apiVersion": "v1"}])
    (await kube.apply("configmaps", sent)).refused(400, "BadRequest", "metadata.managedFields must be nil")


@pytest.mark.parametrize("lacks", ["apiVersion", "kind"])
async def test_an_apply_says_what_it_is(kube: Kube, lacks: str) -> None:
    body = configmap()
    del body[lacks]
    (await kube.apply("configmaps", body)).refused(400, "BadRequest")


async def test_an_unknown_field_is_lost_by_a_post_and_a_put_and_refuses_an_apply(kube: Kube) -> None:
    """Trap 46: with a 500 (later versions 400) that says which it is, of each map one at most; nothing is done."""
    unknown = deployment(later=1)
    unknown["spec"]["laterToo"] = {"a": 1}
    made = await kube.make("deployments", unknown)
    put = (await kube.put("deployments", unknown)).ok()
    for one in (made, put):
        assert "laterToo" not in one["spec"]
        assert "later" not in one["spec"]["template"]["spec"]["containers"][0]
    for query in (FORCE, {**FORCE, "dryRun": "All"}):
        refusal = await kube.apply(
            "deployments", {**unknown, "metadata": {"name": "web", "labels": {"a": "b"}}}, **query
        )
        assert refusal.code in {400, 500}
        said = refusal.body["message"]
        assert said.startswith("failed to create typed patch object (")
        first, inner = ".spec.laterToo", '.spec.template.spec.containers[name="app"].later'
        assert any(f"{path}: field not declared in schema" in said for path in (first, inner))
    assert "labels" not in meta(await kube.read("deployments", "web"))


async def test_list_items_of_others_stay(kube: Kube) -> None:
    """Trap 14: containers, ports and env of another manager are merged, not replaced."""
    theirs = deployment(env=[{"name": "A", "value": "1"}], ports=[{"containerPort": 80}])
    theirs["spec"]["template"]["spec"]["containers"].append({"name": "extra", "image": "extra:1"})
    await kube.make("deployments", theirs, manager="theirs")
    ours = deployment(image="app:2", env=[{"name": "B", "value": "2"}], ports=[{"containerPort": 81}])
    applied = (await kube.apply("deployments", ours, **FORCE)).ok()
    app, extra = applied["spec"]["template"]["spec"]["containers"]
    assert (app["name"], app["image"], extra["name"]) == ("app", "app:2", "extra")
    assert sorted(each["name"] for each in app["env"]) == ["A", "B"]
    assert sorted(each["containerPort"] for each in app["ports"]) == [80, 81]


async def test_an_item_of_others_goes_by_a_put_and_is_nobodys_then(kube: Kube) -> None:
    """What a run that takes over relies on: the PUT owns only what it changes, and an apply owns that besides."""
    (await kube.apply("deployments", deployment())).ok(201)
    env = {"containers": [{"name": "app", "env": [{"name": "X", "value": "1"}]}]}
    injected = {"spec": {"template": {"spec": env}}}
    (await kube.patch("deployments", "web", injected, kind="strategic", manager="theirs")).ok()
    ours = await kube.read("deployments", "web")
    assert "theirs" in {manager for manager, _, _ in entries(ours)}
    del ours["spec"]["template"]["spec"]["containers"][0]["env"]
    ours["spec"]["template"]["spec"]["containers"][0]["image"] = "app:2"
    put = (await kube.put("deployments", ours, name="web", manager="me")).ok()
    assert "theirs" not in {manager for manager, _, _ in entries(put)}
    applied = (await kube.apply("deployments", deployment(image="app:2"))).ok()
    container = applied["spec"]["template"]["spec"]["containers"][0]
    assert "env" not in container
    assert {one for one in entries(applied) if one[0] == "me"} == {("me", "Apply", ""), ("me", "Update", "")}


async def test_a_service_port_of_another_manager_is_merged_into_an_invalid_list(kube: Kube) -> None:
    """Trap 7: 80 → 81 gives two ports without names."""
    await kube.make("services", service(), manager="theirs")
    refusal = await kube.apply("services", service(ports=[{"port": 81}]), **FORCE)
    refusal.refused(422, "Invalid", "name")
    assert {field for _, field in refusal.causes()} == {"spec.ports[0].name", "spec.ports[1].name"}


async def test_a_service_port_of_our_own_apply_is_replaced(kube: Kube) -> None:
    (await kube.apply("services", service())).ok(201)
    changed = (await kube.apply("services", service(ports=[{"port": 81}]))).ok()
    assert [(port["port"], port["targetPort"]) for port in changed["spec"]["ports"]] == [(81, 80)] or [
        (port["port"], port["targetPort"]) for port in changed["spec"]["ports"]
    ] == [(81, 81)]


async def test_selectors_are_atomic(kube: Kube) -> None:
    await kube.make("services", service(selector={"a": "1", "b": "2"}), manager="theirs")
    applied = (await kube.apply("services", service(selector={"a": "1"}), **FORCE)).ok()
    assert applied["spec"]["selector"] == {"a": "1"}
    assert owners(applied, "spec", "selector") == {"me"}


async def test_replicas_that_are_not_declared_stay_with_whoever_scales(kube: Kube) -> None:
    """Trap 13."""
    (await kube.apply("deployments", deployment(replicas=1))).ok(201)
    scale = {"spec": {"replicas": 2}}
    (await kube.patch("deployments", "web", scale, sub="scale", manager="hpa")).ok()
    applied = (await kube.apply("deployments", deployment(image="app:2", replicas=None))).ok()
    assert applied["spec"]["replicas"] == 2
    assert owners(applied, "spec", "replicas") == {"hpa"}
    refusal = await kube.apply("deployments", deployment(image="app:2", replicas=1))
    refusal.refused(409, "Conflict", "hpa")


async def test_replicas_that_nobody_owned_stay_as_scaled_and_are_nobody_s(kube: Kube) -> None:
    """Trap 33: who scales is not told by the fields."""
    (await kube.apply("deployments", deployment(replicas=None))).ok(201)
    scale = {"spec": {"replicas": 2}}
    (await kube.patch("deployments", "web", scale, sub="scale", manager="hpa")).ok()
    applied = (await kube.apply("deployments", deployment(image="app:2", replicas=None))).ok()
    assert applied["spec"]["replicas"] == 2
    assert owners(applied, "spec", "replicas") == set()
    assert (await kube.apply("deployments", deployment(image="app:2", replicas=1))).ok()["spec"]["replicas"] == 1


async def test_giving_up_the_only_ownership_of_replicas_resets_them(kube: Kube) -> None:
    (await kube.apply("deployments", deployment(replicas=0))).ok(201)
    applied = (await kube.apply("deployments", deployment(replicas=None))).ok()
    assert applied["spec"]["replicas"] == 1


async def test_a_status_that_is_applied_to_the_object_is_left_out(kube: Kube) -> None:
    sent = {**ingress(), "status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.7"}]}}}
    made = (await kube.apply("ingresses", sent)).ok(201)
    assert made["status"] == {"loadBalancer": {}}
    assert "f:status" not in entries(made)["me", "Apply", ""]


async def test_a_dry_run_shows_the_result_and_leaves_nothing(kube: Kube) -> None:
    made = await kube.make("configmaps", configmap(), manager="theirs")
    tried = (await kube.apply("configmaps", configmap(data={"a": "2"}), dryRun="All", **FORCE)).ok()
    assert tried["data"] == {"a": "2"}
    assert owners(tried, "data", "a") == {"me"}
    assert await kube.read("configmaps", "web") == made
    (await kube.apply("configmaps", configmap("new"), dryRun="All")).ok(201)
    (await kube.get("configmaps", "new")).refused(404, "NotFound")


async def test_an_annotation_is_its_writers_by_name(kube: Kube) -> None:
    """What R2 rests on: managedFields tell our claim from a copy that somebody else made."""
    made = await kube.make("configmaps", configmap(annotations={"kubemin.io/write-token": "t1"}), manager="kubemin")
    path = ("metadata", "annotations", "kubemin.io/write-token")
    assert owners(made, *path) == {"kubemin"}
    second = configmap(annotations={"kubemin.io/write-token": "t2"})
    # Its own Update entry is another owner to an Apply.
    (await kube.apply("configmaps", second, manager="kubemin")).refused(409, "Conflict", 'conflict with "kubemin"')
    again = (await kube.apply("configmaps", second, manager="kubemin", **FORCE)).ok()
    assert owners(again, *path) == {"kubemin"}
    changed = {"metadata": {"annotations": {"kubemin.io/write-token": "t3"}}}
    foreign = (await kube.patch("configmaps", "web", changed, manager="copier")).ok()
    assert owners(foreign, *path) == {"copier"}
    gone = {"metadata": {"annotations": {"kubemin.io/write-token": None}}}
    stripped = (await kube.patch("configmaps", "web", gone, manager="copier")).ok()
    assert owners(stripped, *path) == set()
