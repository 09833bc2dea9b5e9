"""PATCH in its three older forms. The fourth has a module of its own."""

import pytest

from tests.manifests import configmap, deployment

from .kube import Json, Kube, meta


async def test_a_merge_patch_sets_and_removes(kube: Kube) -> None:
    await kube.make("configmaps", configmap(data={"a": "1", "b": "2"}))
    changed = (await kube.patch("configmaps", "web", {"data": {"a": None, "c": "3"}})).ok()
    assert changed["data"] == {"b": "2", "c": "3"}


async def test_a_merge_patch_replaces_lists_and_a_strategic_one_merges_them(kube: Kube) -> None:
    await kube.make("deployments", deployment(env=[{"name": "A", "value": "1"}]))
    change = {"spec": {"template": {"spec": {"containers": [{"name": "app", "env": [{"name": "B", "value": "2"}]}]}}}}
    merged = (await kube.patch("deployments", "web", change, kind="strategic")).ok()
    (container,) = merged["spec"]["template"]["spec"]["containers"]
    assert container["image"] == "app:1"
    assert sorted(each["name"] for each in container["env"]) == ["A", "B"]
    (await kube.patch("deployments", "web", change)).refused(422, "Invalid", "containers[0].image")


async def test_strategic_directives(kube: Kube) -> None:
    await kube.make("deployments", deployment(env=[{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]))
    env = [{"name": "A", "$patch": "delete"}]
    change = {"spec": {"template": {"spec": {"containers": [{"name": "app", "env": env}]}}}}
    merged = (await kube.patch("deployments", "web", change, kind="strategic")).ok()
    assert merged["spec"]["template"]["spec"]["containers"][0]["env"] == [{"name": "B", "value": "2"}]


async def test_a_json_patch_is_done_as_a_whole_or_not_at_all(kube: Kube) -> None:
    made = await kube.make("configmaps", configmap())
    steps = [{"op": "add", "path": "/data/b", "value": "2"}, {"op": "test", "path": "/data/a", "value": "9"}]
    (await kube.patch("configmaps", "web", steps, kind="json")).refused(422, "Invalid")
    assert await kube.read("configmaps", "web") == made
    steps[1]["value"] = "1"
    changed = (await kube.patch("configmaps", "web", steps, kind="json")).ok()
    assert changed["data"] == {"a": "1", "b": "2"}


@pytest.mark.parametrize(
    "step",
    [
        {"op": "remove", "path": "/data/nowhere"},
        {"op": "replace", "path": "/nowhere/deep", "value": "1"},
        {"op": "add", "path": "/nowhere/deep", "value": "1"},
    ],
)
async def test_a_json_patch_that_does_not_fit_is_a_422(kube: Kube, step: Json) -> None:
    await kube.make("configmaps", configmap())
    (await kube.patch("configmaps", "web", [step], kind="json")).refused(422, "Invalid")


async def test_a_json_patch_replaces_what_is_not_there_by_adding_it(kube: Kube) -> None:
    await kube.make("configmaps", configmap())
    step = {"op": "replace", "path": "/data/nowhere", "value": "1"}
    changed = (await kube.patch("configmaps", "web", [step], kind="json")).ok()
    assert changed["data"] == {"a": "1", "nowhere": "1"}


async def test_versions_in_patches_are_preconditions(kube: Kube) -> None:
    made = await kube.make("configmaps", configmap())
    old, uid = meta(made)["resourceVersion"], meta(made)["uid"]
    (await kube.patch("configmaps", "web", {"metadata": {"resourceVersion": old}, "data": {"a": "2"}})).ok()
    (await kube.patch("configmaps", "web", {"metadata": {"resourceVersion": old}, "data": {"a": "3"}})).refused(
        409, "Conflict"
    )
    move = [
        {"op": "replace", "path": "/metadata/resourceVersion", "value": old},
        {"op": "add", "path": "/data/b", "value": ""},
    ]
    (await kube.patch("configmaps", "web", move, kind="json")).refused(409, "Conflict")
    other = "00000000-0000-0000-0000-000000000000"
    (await kube.patch("configmaps", "web", {"metadata": {"uid": other}})).refused(422, "Invalid", "metadata.uid")
    assert meta((await kube.patch("configmaps", "web", {"metadata": {"uid": uid}})).ok())["uid"] == uid


async def test_a_test_of_the_version_makes_a_json_patch_conditional(kube: Kube) -> None:
    """What the move of the version (R4) and the change of an ownership entry (R3) rest on."""
    made = await kube.make("configmaps", configmap())
    test = {"op": "test", "path": "/metadata/resourceVersion", "value": meta(made)["resourceVersion"]}
    mark = {"op": "add", "path": "/metadata/annotations", "value": {"moved": "yes"}}
    moved = (await kube.patch("configmaps", "web", [test, mark], kind="json")).ok()
    assert meta(moved)["resourceVersion"] != meta(made)["resourceVersion"]
    again = {"op": "add", "path": "/metadata/annotations/moved", "value": "again"}
    (await kube.patch("configmaps", "web", [test, again], kind="json")).refused(422, "Invalid")


async def test_a_patch_that_changes_nothing_does_not_move_the_version(kube: Kube) -> None:
    made = await kube.make("configmaps", configmap())
    assert (await kube.patch("configmaps", "web", {"data": {"a": "1"}})).ok() == made


@pytest.mark.parametrize("kind", ["merge", "strategic", "json"])
async def test_nothing_is_there_to_patch(kube: Kube, kind: str) -> None:
    (await kube.patch("configmaps", "nowhere", [] if kind == "json" else {}, kind=kind)).refused(404, "NotFound")


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("merge", b"{"),
        ("strategic", b"{"),
        ("json", b"{"),
        ("json", b"{}"),
        ("json", b'[{"op":"jump","path":"/data"}]'),
    ],
)
async def test_a_body_that_is_no_patch_is_refused(kube: Kube, kind: str, body: bytes) -> None:
    await kube.make("configmaps", configmap())
    assert (await kube.patch("configmaps", "web", body, kind=kind)).code in {400, 422}


async def test_a_patch_needs_a_content_type_of_its_own(kube: Kube) -> None:
    await kube.make("configmaps", configmap())
    reply = await kube.call("PATCH", kube.path("configmaps", "web"), {"data": {}}, content_type="application/json")
    reply.refused(415, "UnsupportedMediaType")


async def test_names_and_namespaces_cannot_be_patched(kube: Kube) -> None:
    await kube.make("configmaps", configmap())
    for change in ({"name": "other"}, {"namespace": "elsewhere"}):
        (await kube.patch("configmaps", "web", {"metadata": change})).refused(400, "BadRequest")


async def test_a_dry_run_patch_changes_nothing(kube: Kube) -> None:
    made = await kube.make("configmaps", configmap())
    tried = (await kube.patch("configmaps", "web", {"data": {"a": "2"}}, dryRun="All")).ok()
    assert tried["data"] == {"a": "2"}
    assert await kube.read("configmaps", "web") == made
