"""Service addresses: given out once, kept, given back."""

import asyncio
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from kubesim.addresses import Allocator
from kubesim.problems import Problem
from kubesim.resources import RESOURCES

from .conftest import Api

SERVICES = "/api/v1/namespaces/default/services"


def service(name: str, kind: str = "ClusterIP", **spec: Any) -> dict[str, Any]:
    return {"metadata": {"name": name}, "spec": {"type": kind, "ports": [{"port": 80}], **spec}}


async def test_each_gets_its_own(api: Api) -> None:
    answers = await asyncio.gather(*(api.made(SERVICES, service(f"s{n}", "NodePort")) for n in range(20)))
    specs = [answer.body["spec"] for answer in answers]
    assert len({spec["clusterIP"] for spec in specs}) == 20
    assert len({spec["ports"][0]["nodePort"] for spec in specs}) == 20
    for spec in specs:
        assert spec["clusterIPs"] == [spec["clusterIP"]]
        assert (spec["ipFamilies"], spec["ipFamilyPolicy"]) == (["IPv4"], "SingleStack")
        assert 30000 <= spec["ports"][0]["nodePort"] < 32768


async def test_what_another_has_is_refused_until_it_is_free(api: Api) -> None:
    first = (await api.made(SERVICES, service("a", "NodePort"))).body["spec"]
    ip, port = first["clusterIP"], first["ports"][0]["nodePort"]
    same_ip = await api.post(SERVICES, service("b", clusterIP=ip))
    assert same_ip.status == 422
    assert same_ip.body["details"]["causes"] == [
        {
            "reason": "FieldValueInvalid",
            "message": f'Invalid value: ["{ip}"]: failed to allocate IP {ip}: provided IP is already allocated',
            "field": "spec.clusterIPs",
        }
    ]
    same_port = await api.post(SERVICES, service("b", "NodePort", ports=[{"port": 80, "nodePort": port}]))
    assert same_port.status == 422
    assert same_port.body["details"]["causes"][0]["field"] == "spec.ports[0].nodePort"
    await api.delete(f"{SERVICES}/a")
    again = await api.made(SERVICES, service("b", "NodePort", clusterIP=ip, ports=[{"port": 80, "nodePort": port}]))
    assert again.body["spec"]["clusterIP"] == ip


async def test_a_put_without_the_addresses_keeps_them(api: Api) -> None:
    made = (await api.made(SERVICES, service("a", "NodePort"))).body
    answer = await api.put(f"{SERVICES}/a", service("a", "NodePort", selector={"app": "x"}))
    assert answer.body["spec"]["clusterIP"] == made["spec"]["clusterIP"]
    assert answer.body["spec"]["ports"] == made["spec"]["ports"]


async def test_a_dry_run_takes_nothing(api: Api) -> None:
    shown = (await api.post(SERVICES, service("a"), dryRun="All")).body["spec"]["clusterIP"]
    made = await api.made(SERVICES, service("b", clusterIP=shown))
    assert made.body["spec"]["clusterIP"] == shown


async def test_headless_and_external(api: Api) -> None:
    headless = await api.made(SERVICES, service("h", clusterIP="None"))
    assert headless.body["spec"]["clusterIPs"] == ["None"]
    external = await api.made(
        SERVICES, {"metadata": {"name": "e"}, "spec": {"type": "ExternalName", "externalName": "example.com"}}
    )
    assert "clusterIP" not in external.body["spec"]


ACTIONS = st.lists(
    st.tuples(
        st.sampled_from(["make", "drop", "dry"]),
        st.sampled_from("abcdef"),
        st.sampled_from(["ClusterIP", "NodePort"]),
        st.sampled_from(["", "10.96.0.10", "10.96.0.11", "10.96.0.12"]),
    ),
    max_size=40,
)


@given(ACTIONS)
def test_no_address_is_ever_given_out_twice_nor_lost(actions: list[tuple[str, str, str, str]]) -> None:
    allocator = Allocator()
    living: dict[str, dict[str, Any]] = {}
    for action, name, kind, ip in actions:
        if action == "drop":
            if name in living:
                allocator.release(living.pop(name))
            continue
        if name in living:
            continue
        obj = {"metadata": {"name": name, "uid": name}, "spec": {"type": kind, "ports": [{"port": 80}]}}
        if ip:
            obj["spec"]["clusterIP"] = ip  # type: ignore[index]
        taken = {other["spec"]["clusterIP"] for other in living.values()}
        try:
            allocator.allocate(RESOURCES["services"], obj, dry_run=action == "dry")
        except Problem:
            assert ip in taken
        else:
            assert obj["spec"]["clusterIP"] not in taken  # type: ignore[index]
            if action == "make":
                living[name] = obj
    ports = [port["nodePort"] for obj in living.values() for port in obj["spec"]["ports"] if "nodePort" in port]
    assert len(ports) == len(set(ports))
