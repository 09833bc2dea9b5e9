"""managedFields as plain writes leave them."""

from tests.manifests import configmap, deployment

from .kube import Kube, entries, meta, owners


async def test_a_post_owns_what_it_sent(kube: Kube) -> None:
    made = await kube.make("configmaps", configmap(labels={"a": "b"}, annotations={"c": "d"}), manager="maker")
    (entry,) = meta(made)["managedFields"]
    assert {key: value for key, value in entry.items() if key not in {"time", "fieldsV1"}} == {
        "manager": "maker",
        "operation": "Update",
        "apiVersion": "v1",
        "fieldsType": "FieldsV1",
    }
    assert entry["fieldsV1"] == {
        "f:data": {".": {}, "f:a": {}},
        "f:metadata": {
            "f:annotations": {".": {}, "f:c": {}},
            "f:labels": {".": {}, "f:a": {}},
        },
    }


async def test_a_post_owns_its_defaults_too(kube: Kube) -> None:
    made = await kube.make("deployments", deployment(ports=[{"containerPort": 80}]))
    (fields,) = entries(made).values()
    assert set(fields) == {"f:spec"}
    assert set(fields["f:spec"]) == {
        "f:progressDeadlineSeconds",
        "f:replicas",
        "f:revisionHistoryLimit",
        "f:selector",
        "f:strategy",
        "f:template",
    }
    assert fields["f:spec"]["f:strategy"] == {
        "f:rollingUpdate": {".": {}, "f:maxSurge": {}, "f:maxUnavailable": {}},
        "f:type": {},
    }
    container = fields["f:spec"]["f:template"]["f:spec"]["f:containers"]['k:{"name":"app"}']
    assert set(container) == {
        ".",
        "f:image",
        "f:imagePullPolicy",
        "f:name",
        "f:ports",
        "f:resources",
        "f:terminationMessagePath",
        "f:terminationMessagePolicy",
    }
    assert container["f:ports"] == {
        ".": {},
        'k:{"containerPort":80,"protocol":"TCP"}': {".": {}, "f:containerPort": {}, "f:protocol": {}},
    }


async def test_a_changed_field_moves_to_whoever_changed_it(kube: Kube) -> None:
    await kube.make("configmaps", configmap(data={"x": "1", "y": "2"}), manager="maker")
    changed = (await kube.put("configmaps", configmap(data={"x": "9", "y": "2"}), manager="changer")).ok()
    assert [owners(changed, "data", key) for key in "xy"] == [{"changer"}, {"maker"}]
    removed = (await kube.patch("configmaps", "web", {"data": {"x": None}}, manager="third")).ok()
    assert set(entries(removed)) == {("maker", "Update", "")}


async def test_a_write_that_changes_nothing_owns_nothing(kube: Kube) -> None:
    made = await kube.make("configmaps", configmap(), manager="maker")
    again = (await kube.put("configmaps", configmap(), manager="changer")).ok()
    assert meta(again) == meta(made)


async def test_writes_of_one_manager_share_an_entry(kube: Kube) -> None:
    await kube.make("configmaps", configmap(data={"x": "1"}), manager="maker")
    changed = (await kube.patch("configmaps", "web", {"data": {"y": "2"}}, manager="maker")).ok()
    assert set(entries(changed)) == {("maker", "Update", "")}
    assert entries(changed)["maker", "Update", ""]["f:data"] == {".": {}, "f:x": {}, "f:y": {}}


async def test_an_update_takes_a_field_from_an_apply(kube: Kube) -> None:
    (await kube.apply("configmaps", configmap(data={"x": "1", "y": "2"}))).ok(201)
    changed = (await kube.patch("configmaps", "web", {"data": {"x": "9"}}, manager="other")).ok()
    assert [owners(changed, "data", key) for key in "xy"] == [{"other"}, {"me"}]
    (await kube.apply("configmaps", configmap(data={"x": "1", "y": "2"}))).refused(409, "Conflict", "other")


async def test_the_manager_is_the_user_agent_if_none_is_named(kube: Kube) -> None:
    made = await kube.make("configmaps", configmap(), manager=None)
    assert {manager for manager, _, _ in entries(made)} == {"kubemin"}


async def test_system_metadata_is_nobodys(kube: Kube) -> None:
    made = await kube.make("configmaps", configmap(finalizers=["kubemin.test/hold"]))
    (fields,) = entries(made).values()
    assert set(fields["f:metadata"]) == {"f:finalizers"}
    assert fields["f:metadata"]["f:finalizers"] == {".": {}, 'v:"kubemin.test/hold"': {}}
    (await kube.patch("configmaps", "web", {"metadata": {"finalizers": None}})).ok()
