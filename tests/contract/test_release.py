"""What becomes of fields, labels and their owners when a manager lets go of an object (design R11)."""

import pytest

from kubemin.engine.objects.marks import handed_over, released
from kubemin.spec.labels import APP_ID, MANAGED_BY, MANAGER, NAME
from tests.manifests import configmap, deployment

from .kube import Kube, entries, meta

OURS = {APP_ID: "a" * 24, MANAGED_BY: MANAGER, NAME: "web"}


async def test_an_apply_without_the_fields_deletes_them(kube: Kube) -> None:
    """So letting go by an empty apply would lose the content."""
    (await kube.apply("configmaps", configmap(data={"x": "1"}), manager=MANAGER)).ok(201)
    empty = configmap()
    del empty["data"]
    left = (await kube.apply("configmaps", empty, manager=MANAGER)).ok()
    assert "data" not in left


@pytest.mark.parametrize("how", ["create", "apply"])
async def test_a_put_that_names_the_owners_lets_go_and_keeps_the_content(kube: Kube, how: str) -> None:
    wanted = configmap(data={"x": "1"}, labels={**OURS, "team": "a"}, annotations={"kubemin.io/write-token": "t"})
    if how == "create":
        made = await kube.make("configmaps", wanted, manager=MANAGER)
    else:
        made = (await kube.apply("configmaps", wanted, manager=MANAGER)).ok(201)
    body = released(made, {})
    assert body is not None
    after = (await kube.put("configmaps", body, manager=MANAGER)).ok()
    assert after["data"] == {"x": "1"}
    assert meta(after)["labels"] == {"team": "a"}
    assert "annotations" not in meta(after)
    assert meta(after).get("managedFields", []) == []
    assert released(after, {}) is None


async def test_a_label_that_comes_back_needs_a_second_put(kube: Kube) -> None:
    """Whoever writes it owns it: so the ownership of that goes by a PUT of the same content."""
    await kube.make("configmaps", configmap(data={"x": "0"}, labels={NAME: "theirs"}), manager="kubectl")
    made = (await kube.apply("configmaps", configmap(data={"x": "1"}, labels=OURS), manager=MANAGER, force=True)).ok()
    puts = 0
    while (body := released(made, {NAME: "theirs"})) is not None:
        made, puts = (await kube.put("configmaps", body, manager=MANAGER)).ok(), puts + 1
    assert puts == 2
    assert (made["data"], meta(made)["labels"]) == ({"x": "1"}, {NAME: "theirs"})
    assert {manager for manager, _, _ in entries(made)} <= {"kubectl"}


async def test_what_others_own_stays_theirs(kube: Kube) -> None:
    await kube.make("configmaps", configmap(data={"x": "1"}, labels={**OURS, "team": "a"}), manager=MANAGER)
    made = (await kube.patch("configmaps", "web", {"data": {"y": "2"}, "metadata": {"labels": {NAME: "us"}}})).ok()
    (manager,) = {name for name, _, _ in entries(made)} - {MANAGER}
    body = released(made, {})
    assert body is not None
    after = (await kube.put("configmaps", body, manager=MANAGER)).ok()
    assert meta(after)["labels"] == {NAME: "us", "team": "a"}
    assert {name for name, _, _ in entries(after)} == {manager}
    again = (
        await kube.apply("configmaps", configmap(data={"x": "3"}), manager="new")
    ).ok()  # nobody owns x: no conflict
    assert again["data"] == {"x": "3", "y": "2"}


async def test_labels_of_the_object_alone_roll_nothing_out(kube: Kube) -> None:
    wanted = deployment()
    wanted["metadata"]["labels"] = dict(OURS)
    made = await kube.make("deployments", wanted, manager=MANAGER)
    for body in (handed_over(made, {APP_ID: "b" * 24}), released(made, {})):
        assert body is not None
        body["metadata"].pop("resourceVersion")
        after = (await kube.put("deployments", body, manager=MANAGER)).ok()
        assert after["spec"] == made["spec"]  # a Deployment's generation also counts changes of annotations


async def test_a_put_of_an_older_version_lets_go_of_nothing(kube: Kube) -> None:
    made = await kube.make("configmaps", configmap(labels=OURS), manager=MANAGER)
    body = released(made, {})
    assert body is not None
    (await kube.patch("configmaps", "web", {"data": {"y": "2"}})).ok()
    (await kube.put("configmaps", body, manager=MANAGER)).refused(409, "Conflict")
