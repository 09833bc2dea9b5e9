"""Services whose type changes: the server makes the fields fit that only some types have."""

import itertools

import pytest

from tests.manifests import service

from .kube import Kube, meta

TYPES = ("ClusterIP", "NodePort", "LoadBalancer")


@pytest.mark.parametrize(("first", "other"), list(itertools.permutations(TYPES, 2)))
async def test_a_type_that_another_patched_is_applied_away(kube: Kube, first: str, other: str) -> None:
    body = service(type=first)
    made = (await kube.apply("services", body)).ok(201)
    (await kube.patch("services", "web", {"spec": {"type": other}}, kind="strategic", manager="other")).ok()
    back = (await kube.apply("services", body, force="true")).ok()
    assert back["spec"]["type"] == first
    assert back["spec"].keys() == made["spec"].keys()
    assert back["spec"]["clusterIP"] == made["spec"]["clusterIP"]
    assert ["nodePort" in port for port in back["spec"]["ports"]] == [first != "ClusterIP"]


@pytest.mark.parametrize(("first", "other"), list(itertools.product(TYPES, TYPES)))
async def test_what_the_server_answers_after_a_change_of_type_can_be_applied(
    kube: Kube, first: str, other: str
) -> None:
    await kube.make("services", service(type=first))
    changed = (await kube.patch("services", "web", {"spec": {"type": other}})).ok()
    del meta(changed)["managedFields"], meta(changed)["resourceVersion"]
    again = (await kube.apply("services", changed, force="true")).ok()
    assert again["spec"] == changed["spec"]


async def test_a_name_outside_takes_the_place_of_an_address_and_gives_it_back(kube: Kube) -> None:
    await kube.make("services", service(type="NodePort"))
    outside = {"type": "ExternalName", "externalName": "kubemin.test"}
    named = (await kube.patch("services", "web", {"spec": outside})).ok()
    gone = {"clusterIP", "clusterIPs", "ipFamilies", "externalTrafficPolicy", "internalTrafficPolicy"}
    assert not gone & named["spec"].keys()
    assert not any("nodePort" in port for port in named["spec"]["ports"])
    back = (await kube.patch("services", "web", {"spec": {"type": "ClusterIP", "externalName": None}})).ok()
    assert back["spec"]["clusterIP"] not in ("", "None")


async def test_an_address_that_is_none_fits_no_node_port(kube: Kube) -> None:
    await kube.make("services", service(clusterIP="None"))
    (await kube.patch("services", "web", {"spec": {"type": "NodePort"}})).refused(422, "Invalid", "clusterIP")


async def test_a_load_balancer_of_local_pods_has_a_port_on_which_it_asks_for_them(kube: Kube) -> None:
    body = service(type="LoadBalancer", externalTrafficPolicy="Local")
    made = (await kube.apply("services", body)).ok(201)
    port = made["spec"]["healthCheckNodePort"]
    assert port not in {one["nodePort"] for one in made["spec"]["ports"]}
    assert (await kube.apply("services", body)).ok()["spec"]["healthCheckNodePort"] == port
    everywhere = (await kube.apply("services", service(type="LoadBalancer"))).ok()["spec"]
    assert everywhere["externalTrafficPolicy"] == "Cluster"
    assert "healthCheckNodePort" not in everywhere
