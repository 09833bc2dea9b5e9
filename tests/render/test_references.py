"""What a reference means: the object of the component that it names, else one outside the application."""

from typing import Any

import pytest

from kubemin.render import references, render
from kubemin.spec.application import parse_application
from kubemin.spec.issues import SpecError
from kubemin.spec.objects import Manifest, ObjectRef

Json = dict[str, Any]

CONF: Json = {"name": "settings", "type": "config", "properties": {"conf": {"a": "1"}}}
KEYS: Json = {"name": "keys", "type": "secret", "properties": {"secret": {"a": "1"}}}


def web(name: str = "web", **more: Any) -> Json:
    return {"name": name, "type": "webservice", "image": "web:1", "properties": {"ports": [{"port": 80}]}, **more}


def manifests(*parts: Json, name: str = "shop") -> list[Manifest]:
    return [one.manifest for one in render(parse_application({"name": name, "component": list(parts)}))]


def reader(config: str, secret: str) -> Json:
    traits = {
        "envFrom": [{"type": "config", "sourceName": config}, {"type": "secret", "sourceName": secret}],
        "envs": [{"name": "A", "valueFrom": {"secret": {"name": secret, "key": "a"}}}],
        "storage": [{"name": "v", "type": "config", "sourceName": config}],
        "ingress": [{"tls": [{"secretName": secret, "hosts": []}], "routes": [{"backend": {"serviceName": "web"}}]}],
    }
    return web(traits=traits)


def outside(found: list[Manifest]) -> set[str]:
    made = {ObjectRef.of(one) for one in found}
    return {str(ref) for one in found for ref in references(one) - made}


def test_a_component_s_name_means_its_object() -> None:
    assert outside(manifests(reader("settings", "keys"), CONF, KEYS)) == set()


def test_an_object_name_is_followed() -> None:
    found = manifests(reader("settings", "keys"), {**CONF, "objectName": "x"}, {**KEYS, "objectName": "y"})
    assert outside(found) == set()
    assert {one["metadata"]["name"] for one in found} >= {"x", "y"}


def test_any_other_name_is_an_object_outside() -> None:
    found = manifests(reader("theirs", "others"), CONF, KEYS)
    assert outside(found) == {"ConfigMap/default/theirs", "Secret/default/others"}


def test_a_component_of_another_namespace_or_kind_is_not_meant() -> None:
    found = manifests(reader("keys", "settings"), {**CONF, "namespace": "other"}, KEYS)
    assert outside(found) == {"ConfigMap/default/keys", "Secret/default/settings"}


def test_another_component_s_only_claim_is_meant_by_its_name() -> None:
    own = {"name": "data", "type": "persistent", "tmpCreate": True}
    other = {"name": "files", "type": "persistent", "claimName": "web"}
    rendered = render(
        parse_application(
            {"name": "shop", "component": [web(traits={"storage": [own]}), web("b", traits={"storage": [other]})]}
        )
    )
    assert not any(one.if_absent for one in rendered)
    (pod,) = [one.manifest for one in rendered if one.component == "b" and one.manifest["kind"] == "Deployment"]
    volumes = pod["spec"]["template"]["spec"]["volumes"]
    assert volumes == [{"name": "files", "persistentVolumeClaim": {"claimName": "shop-web-data"}}]


def test_a_service_begins_with_a_letter() -> None:
    with pytest.raises(SpecError, match="objectName"):
        manifests(web(), name="42-shop")
    assert manifests(web(objectName="shop"), name="42-shop")
    assert manifests(CONF, name="42-shop")


def test_the_component_of_the_application_s_name_has_its_name() -> None:
    assert {one["metadata"]["name"] for one in manifests(web("shop"))} == {"shop"}


def test_two_that_would_make_one_object_are_both_named() -> None:
    with pytest.raises(SpecError, match=r'"a".*"b".*Deployment shop-a'):
        manifests(web("a"), web("b", objectName="shop-a"))
