"""Quotas refuse a POST before anything is said to be there already."""

import pytest

from tests.manifests import configmap, deployment, service

from .kube import Json, Kube

pytestmark = pytest.mark.controllers


async def limit(kube: Kube, hard: dict[str, str], used: dict[str, str]) -> None:
    """Make a quota, and wait until its controller has counted."""
    body = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "full"}, "spec": {"hard": hard}}
    await kube.make("resourcequotas", body)

    def counted(item: Json | None) -> bool:
        return item is not None and item["status"].get("used") == used

    await kube.until("resourcequotas", "full", counted)


async def test_a_post_of_what_is_there_is_refused_by_a_full_quota(kube: Kube) -> None:
    await kube.make("deployments", deployment())
    await limit(kube, {"count/deployments.apps": "1"}, {"count/deployments.apps": "1"})
    message = (
        'deployments.apps "web" is forbidden: exceeded quota: full, requested: count/deployments.apps=1, '
        "used: count/deployments.apps=1, limited: count/deployments.apps=1"
    )
    (await kube.post("deployments", deployment())).refused(403, "Forbidden", message)
    (await kube.post("deployments", deployment(), dryRun="All")).refused(403, "Forbidden", message)
    (await kube.apply("deployments", deployment(image="app:2"), force="true")).ok()


@pytest.mark.parametrize("key", ["services", "count/services"])
async def test_core_resources_are_counted_under_both_names(kube: Kube, key: str) -> None:
    await kube.make("services", service())
    await limit(kube, {key: "1"}, {key: "1"})
    (await kube.post("services", service("two"))).refused(403, "Forbidden", f"used: {key}=1, limited: {key}=1")
    (await kube.post("configmaps", configmap())).ok(201)


async def test_a_change_of_a_service_is_charged(kube: Kube) -> None:
    await kube.make("services", service())
    await limit(kube, {"services.nodeports": "0"}, {"services.nodeports": "0"})
    change = {"spec": {"type": "NodePort"}}
    (await kube.patch("services", "web", change)).refused(403, "Forbidden", "requested: services.nodeports=1")
