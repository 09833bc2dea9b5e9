"""Our own client: what it makes of a server's answers, on every kind that the engine writes."""

import asyncio
import json
from contextlib import aclosing
from dataclasses import replace
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from kubemin.cluster import errors, requests
from kubemin.cluster.informers import Informers
from kubemin.cluster.namespace_content import namespace_content
from kubemin.cluster.object_events import CONTROLLER, ObjectEvent, ObjectEvents, counter_of_events
from kubemin.engine.objects.namespace_content import foreign_objects
from kubemin.engine.objects.ownership import convert_create_to_apply, token_of
from kubemin.engine.objects.undeclared import without_undeclared
from kubemin.spec.labels import WRITE_TOKEN
from kubemin.spec.objects import Manifest, ObjectRef
from tests.manifests import configmap

from .kube import PATIENCE, Json, Kube, entries, meta
from .test_create import OBJECTS, kinds

OTHER_UID = "00000000-0000-0000-0000-000000000000"


def placed(kube: Kube, body: Json, **more: Any) -> Manifest:
    """The manifest in the test's namespace, with what is to stand in its metadata."""
    return {**body, "metadata": {**body["metadata"], "namespace": kube.namespace, **more}}


@kinds
async def test_from_create_to_gone(kube: Kube, plural: str) -> None:
    """Each write as the engine makes it: create, ownership, apply, fence, put back twice, delete."""
    labels = {"ours": "yes"}  # a Job without any would get its template's with the next write
    cluster, manifest = kube.cluster, placed(kube, OBJECTS[plural], labels=labels, annotations={WRITE_TOKEN: "t.1"})
    ref = ObjectRef.of(manifest)
    assert (await cluster.create(manifest, dry_run=True))["metadata"]["uid"]
    made = await cluster.create(manifest)
    assert token_of(made) == "t.1"
    with pytest.raises(errors.AlreadyExists):
        await cluster.create(manifest)
    with pytest.raises(errors.AlreadyExists):
        await cluster.create(manifest, dry_run=True)

    async def fresh(**more: str) -> Json:
        look = await cluster.get(ref)
        identity = {"uid": meta(look)["uid"], "resourceVersion": meta(look)["resourceVersion"]}
        return placed(kube, OBJECTS[plural], **identity, annotations={WRITE_TOKEN: "t.2"}, labels=labels | more)

    async def retried(send: Any) -> Json:
        for _ in range(20):
            try:
                found: Json = await send()
            except errors.Conflict:  # a controller wrote in between
                continue
            return found
        raise AssertionError("it changes all the time")

    async def adopt() -> Json:
        look = await cluster.get(ref)
        operations = convert_create_to_apply(look)
        assert operations
        return await cluster.patch(ref, operations)

    for _ in range(20):
        try:
            await adopt()
        except (errors.Conflict, errors.Invalid):  # the version has moved, and the test of it fails
            continue
        break
    before = await cluster.get(ref)
    assert {operation for manager, operation, _ in entries(before) if manager == "kubemin"} == {"Apply"}

    async def change() -> Json:
        return await cluster.apply(await fresh(changed="yes"))

    applied = await retried(change)
    assert (token_of(applied), meta(applied)["labels"]["changed"]) == ("t.2", "yes")
    old = placed(kube, OBJECTS[plural], uid=meta(made)["uid"], resourceVersion=meta(made)["resourceVersion"])
    with pytest.raises(errors.Conflict):
        await cluster.apply(old)
    with pytest.raises(errors.Conflict):
        await cluster.delete(ref, uid=OTHER_UID)

    async def put_back(managed: bool) -> Json:
        """All that the apply changed is metadata; what controllers wrote meanwhile (a claim is bound) stays."""
        look = await cluster.get(ref)
        former = {key: meta(before)[key] for key in ("labels", "annotations")}
        body = {**look, "metadata": {**meta(look), **former, "managedFields": meta(before)["managedFields"]}}
        if not managed:
            body["metadata"].pop("managedFields")
        return await cluster.replace(body)

    await retried(lambda: put_back(False))
    back = await retried(lambda: put_back(True))
    assert token_of(back) == "t.1"
    assert "changed" not in meta(back)["labels"]
    ours = {key: fields for key, fields in entries(back).items() if key[0] == "kubemin"}
    assert ours == {key: fields for key, fields in entries(before).items() if key[0] == "kubemin"}

    async def remove() -> Json:
        look = await cluster.get(ref)
        return {
            "left": await cluster.delete(
                ref,
                uid=meta(look)["uid"],
                resource_version=meta(look)["resourceVersion"],
            )
        }

    left = (await retried(remove))["left"]
    if left is None:  # gone at once means: not there any more
        with pytest.raises(errors.NotFound):
            await cluster.get(ref)
    elif kube.controllers:
        assert "deletionTimestamp" in meta(left)
        await kube.until_gone(plural, ref.name)


async def test_what_a_terminating_object_is_told_by(kube: Kube) -> None:
    held = placed(kube, configmap(), finalizers=["kubemin.test/hold"])
    made = await kube.cluster.create(held)
    ref = ObjectRef.of(held)
    left = await kube.cluster.delete(ref, uid=meta(made)["uid"])
    assert left is not None
    for dry_run in (False, True):
        with pytest.raises(errors.Terminating):
            await kube.cluster.create(placed(kube, configmap()), dry_run=dry_run)
    off = {"metadata": {"uid": meta(made)["uid"], "finalizers": None}}
    await kube.cluster.patch(ref, off)
    with pytest.raises(errors.NotFound):
        await kube.cluster.get(ref)


async def test_a_fence_meets_the_very_object_and_version_or_nothing(kube: Kube) -> None:
    """R4: `_move_version` and `_unfence` are merge patches with a uid, the first with a version too."""
    made = await kube.cluster.create(placed(kube, configmap()))
    ref, identity = ObjectRef.of(made), {"uid": meta(made)["uid"]}
    fence = {**identity, "resourceVersion": meta(made)["resourceVersion"], "annotations": {"kubemin.io/fence": "x"}}
    moved = await kube.cluster.patch(ref, {"metadata": fence})
    assert meta(moved)["resourceVersion"] != meta(made)["resourceVersion"]
    with pytest.raises(errors.Conflict):
        await kube.cluster.patch(ref, {"metadata": fence})
    off = {"annotations": {"kubemin.io/fence": None}}
    with pytest.raises(errors.Invalid):
        await kube.cluster.patch(ref, {"metadata": {"uid": OTHER_UID, **off}})
    assert "annotations" not in meta(await kube.cluster.patch(ref, {"metadata": {**identity, **off}}))
    await kube.cluster.delete(ref, uid=meta(made)["uid"])
    with pytest.raises(errors.NotFound):
        await kube.cluster.patch(ref, {"metadata": {**identity, **off}})


@kinds
async def test_an_apply_with_a_uid_only_is_asked_by_dry_run(kube: Kube, plural: str) -> None:
    """What the pre-flight sends: it meets the object that it looked at, whatever its version is by now."""
    made = await kube.cluster.create(placed(kube, OBJECTS[plural]))
    asked = placed(kube, OBJECTS[plural], uid=meta(made)["uid"], labels={"asked": "yes"})
    answer = await kube.cluster.apply(asked, dry_run=True)
    assert meta(answer)["labels"]["asked"] == "yes"
    assert "asked" not in meta(await kube.cluster.get(ObjectRef.of(made))).get("labels", {})


async def test_a_list_goes_through_all_pages(kube: Kube, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kubemin.cluster.client._PAGE", 2)
    for name in "abcde":
        await kube.make("secrets", {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}})
    listing = await kube.cluster.list("Secret", kube.namespace)
    assert [(item["kind"], item["apiVersion"], meta(item)["name"]) for item in listing.items] == [
        ("Secret", "v1", name) for name in "abcde"
    ]
    assert int(listing.resource_version) > 0


async def test_what_a_quota_refuses_is_refused_by_dry_run_too(kube: Kube) -> None:
    """What the pre-flight rests on."""
    hard = {"hard": {"count/secrets": "0"}}
    quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "none"}, "spec": hard}
    await kube.make("resourcequotas", quota)
    if kube.controllers:
        await kube.until("resourcequotas", "none", lambda item: item if item and item["status"].get("hard") else None)
    body = placed(kube, {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "web"}})
    for dry_run in (True, False):
        with pytest.raises(errors.Forbidden, match="none"):
            await kube.cluster.create(body, dry_run=dry_run)


async def test_an_apply_that_does_not_fit_is_refused_and_never_unanswered(kube: Kube) -> None:
    """Trap 46: it is answered with a 500, and would otherwise be sent again and again."""
    body = placed(kube, {**configmap(), "later": 1})
    made = await kube.cluster.create(body)
    assert "later" not in made
    identity = {"uid": meta(made)["uid"], "resourceVersion": meta(made)["resourceVersion"]}
    for dry_run in (True, False):
        with pytest.raises(errors.Unfit, match=r"\.later: field not declared in schema") as caught:
            await kube.cluster.apply(placed(kube, body, **identity), dry_run=dry_run)
        assert not caught.value.retryable
        assert without_undeclared(body, caught.value.message) == placed(kube, configmap())
    assert await kube.cluster.get(ObjectRef.of(made)) == made


@pytest.mark.controllers
async def test_the_content_of_a_namespace(kube: Kube) -> None:
    """R10: every listable kind is looked at, and a fresh namespace holds nothing of anybody's."""
    await kube.until("configmaps", "kube-root-ca.crt", lambda item: item)
    await kube.until("serviceaccounts", "default", lambda item: item)
    names = {item.name for item in await namespace_content(kube.cluster, kube.namespace)}
    assert {"ServiceAccount/default", "ConfigMap/kube-root-ca.crt"} <= names
    assert await foreign_objects(kube.cluster, ObjectRef("Namespace", "", kube.namespace), ()) == []
    await kube.make("configmaps", configmap("theirs"))
    assert await foreign_objects(kube.cluster, ObjectRef("Namespace", "", kube.namespace), ()) == ["ConfigMap/theirs"]


async def test_the_shared_watch_sees_what_is_written(kube: Kube) -> None:
    label = {"kubemin.test/watched": kube.namespace}
    informers = Informers(kube.cluster, selector=f"kubemin.test/watched={kube.namespace}")

    def until(check: Any, since: str | None = None) -> Any:
        return informers.until("ConfigMap", kube.namespace, "web", check, since=since)

    async def follow() -> list[tuple[str, str]]:
        seen: list[tuple[str, str]] = []
        async with aclosing(informers.follow("ConfigMap")) as changes:
            async for change, item in changes:
                assert meta(item)["managedFields"]
                seen.append((change, meta(item)["name"]))
                if change == "DELETED":
                    return seen
        raise AssertionError("the watch ended")

    try:
        async with asyncio.timeout(PATIENCE):
            assert await until(lambda item: item is None)
            following = asyncio.create_task(follow())
            made = await kube.cluster.create(placed(kube, configmap(), labels=label))
            version = meta(made)["resourceVersion"]
            assert await until(lambda item: item and item["data"] == {"a": "1"}, version)
            await kube.cluster.patch(ObjectRef.of(made), {"data": {"a": "2"}})
            assert await until(lambda item: (item["data"] == {"a": "2"}) or None)
            await kube.cluster.delete(ObjectRef.of(made), uid=meta(made)["uid"])
            assert await until(lambda item: True if item is None else None)
            seen = await following
    finally:
        await informers.aclose()
    assert seen[0] == ("ADDED", "web")
    assert seen[-1] == ("DELETED", "web")


async def test_the_names_of_a_kind_come_without_the_objects(kube: Kube) -> None:
    """``PartialObjectMetadataList``; a Secret's values are not in it."""
    await kube.make("configmaps", configmap("one", data={"a": "x" * 10_000}))
    await kube.make("configmaps", configmap("two"))
    found = await kube.cluster.names("ConfigMap", kube.namespace)
    assert found is not None
    assert {"one", "two"} <= found
    page = replace(requests.list_page("ConfigMap", kube.namespace, limit=1), accept=requests.METADATA_LIST)
    answer = json.loads((await kube.cluster.raw(page)).body)
    assert answer["metadata"]["continue"]
    assert [set(item) & {"data", "metadata"} for item in answer["items"]] == [{"metadata"}]
    assert await kube.cluster.names("ConfigMap", "kubemin-not-there") == frozenset()


async def test_an_event_about_an_object_is_told_once(kube: Kube) -> None:
    """In the newer group, under a name that follows from what it is about: a second one is refused."""
    made = await kube.cluster.create(placed(kube, configmap("told")))
    registry = CollectorRegistry()
    events = ObjectEvents(kube.cluster, "worker", counter_of_events(registry))
    event = ObjectEvent(
        ObjectRef.of(made), made["metadata"]["uid"], "Warning", "RollBack", "RolledBack", "said " * 500, "task"
    )

    def count(outcome: str) -> float | None:
        return registry.get_sample_value("kubemin_worker_kubernetes_events_total", {"outcome": outcome})

    events.tell(event)
    events.tell(event)
    async with asyncio.timeout(PATIENCE):
        while count("sent") != 1 or count("known") != 1:
            assert count("dropped") == 0
            await asyncio.sleep(0.01)  # nobody tells us
    await events.aclose()
    about = f"involvedObject.uid={event.uid}"
    (found,) = (await kube.cluster.list("Event", kube.namespace, fields=about)).items
    assert (found["reason"], found["type"], found["reportingComponent"]) == ("RolledBack", "Warning", CONTROLLER)
    assert found["message"] == ("said " * 200)
    assert found["metadata"]["name"] == event.name
