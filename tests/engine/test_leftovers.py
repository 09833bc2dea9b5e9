"""What another manager added to a list that the application has too is named item by item (finding 13)."""

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubemin.engine.deploy.write import leftovers
from kubemin.spec.kinds import KINDS
from kubemin.spec.objects import Manifest
from tests.manifests import deployment


def with_pod(**pod: Any) -> Manifest:
    container = {"ports": [{"containerPort": 53}], **pod.pop("container", {})}
    made = deployment(image="nginx", **container)
    made["spec"]["template"]["spec"] |= {"imagePullSecrets": [{"name": "ours"}], **pod}
    return made


POD = "spec.template.spec"


@pytest.mark.parametrize(
    ("added", "named"),
    [
        ({"imagePullSecrets": [{"name": "ours"}, {"name": "theirs"}]}, f"{POD}.imagePullSecrets[theirs]"),
        (
            {
                "container": {
                    "ports": [{"containerPort": 53, "protocol": "TCP"}, {"containerPort": 53, "protocol": "UDP"}]
                }
            },
            f"{POD}.containers[app].ports[53,UDP]",
        ),
        (
            {"containers": [{"name": "app", "image": "nginx", "ports": [{"containerPort": 53}]}, {"name": "proxy"}]},
            f"{POD}.containers[proxy]",
        ),
    ],
)
def test_it_is_named(added: dict[str, Any], named: str) -> None:
    assert leftovers(with_pod(), with_pod(**added)) == [named]


def test_a_service_s_ports_are_told_apart_by_protocol_too() -> None:
    def service(*ports: dict[str, Any]) -> Manifest:
        return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "dns"}, "spec": {"ports": list(ports)}}

    answer = service({"port": 53, "protocol": "TCP", "targetPort": 53}, {"port": 53, "protocol": "UDP"})
    assert leftovers(service({"port": 53}), answer) == ["spec.ports[53,UDP]"]


@given(st.sampled_from(sorted(KINDS)), st.data())
def test_each_list_with_keys_is_looked_at(kind: str, data: st.DataObject) -> None:
    """The rule: whatever list of a kind has keys, an item too many is named."""
    lists = KINDS[kind].list_keys
    if not lists:
        return
    field = data.draw(st.sampled_from(sorted(lists)))
    ours, theirs = ({key: f"{who}-{key}" for key in lists[field]} for who in ("ours", "theirs"))
    wanted: Manifest = {"apiVersion": KINDS[kind].api_version, "kind": kind, "metadata": {}, "spec": {field: [ours]}}
    answer = copy.deepcopy(wanted)
    answer["spec"][field].append(theirs)
    assert leftovers(wanted, answer) == [f"spec.{field}[{','.join(theirs.values())}]"]
