"""Values that follow from the application (``${{ … }}``), and what is said of those that mean nothing."""

from typing import Any

import pytest

from kubemin.render import render
from kubemin.spec.application import parse_application
from kubemin.spec.ids import application_id
from kubemin.spec.issues import SpecError
from kubemin.spec.objects import Manifest

Json = dict[str, Any]

DB: Json = {"name": "db", "type": "store", "image": "db:1", "properties": {"ports": [{"port": 5432}, {"port": 1}]}}
KEYS: Json = {"name": "keys", "type": "secret", "properties": {"secret": {"a": "b"}}}


def shop(*parts: Json) -> Json:
    return {"name": "shop", "namespace": "team", "component": [*parts, DB, KEYS]}


def conf(value: str, **more: Any) -> Json:
    return {"name": "conf", "type": "config", "properties": {"conf": {"a": value}}, **more}


def data_of(value: str, **more: Any) -> str:
    """What the value becomes in a ConfigMap."""
    manifests = [one.manifest for one in render(parse_application(shop(conf(value, **more))))]
    (found,) = [one for one in manifests if one["kind"] == "ConfigMap"]
    text: str = found["data"]["a"]
    return text


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("${{ components.db.host }}", "shop-db"),
        ("${{components.db.fqdn}}", "shop-db.team.svc"),
        ("x:${{ components.db.port }}/y", "x:5432/y"),
        ("${{ components.db.name }}", "shop-db"),
        ("${{ components.keys.name }}", "shop-keys"),
        ("${{ app.name }}.${{ app.namespace }}", "shop.team"),
        ("${{ app.id }}", application_id("team", "shop")),
        ("$${{ app.id }}", "${{ app.id }}"),
        ("$(A) ${A} {{ .b }} $$", "$(A) ${A} {{ .b }} $$"),
    ],
)
def test_values(written: str, meant: str) -> None:
    assert data_of(written) == meant
    assert parse_application(shop(conf(written))).component[0].properties.conf == {"a": written}


def test_a_host_of_another_namespace_has_it_in_its_name() -> None:
    assert data_of("${{ components.db.host }}", namespace="other") == "shop-db.team"


def test_every_place_is_resolved() -> None:
    text = "${{ components.db.host }}"
    more = {"name": "web", "type": "webservice", "image": "web:1"}
    properties = {"env": {"A": text}, "command": ["run", text], "ports": [{"port": 80}]}
    ingress = {"hosts": ["${{ app.name }}.example"], "annotations": {"a": text}, "routes": [_route()]}
    traits = {
        "envs": [{"name": "B", "valueFrom": {"static": text}}],
        "init": [{"properties": {"image": "i", "command": [text], "env": {"A": text}}}],
        "sidecar": [{"image": "s", "args": [text], "env": {"A": text}}],
        "ingress": [ingress],
    }
    parsed = parse_application(shop({**more, "properties": properties, "traits": traits}))
    manifests = {one.manifest["kind"]: one.manifest for one in render(parsed) if one.component == "web"}
    assert "${{" not in str(manifests)
    assert manifests["Ingress"]["spec"]["rules"][0]["host"] == "shop.example"
    assert _pod(manifests["Deployment"]).count("shop-db") == 7


def _pod(deployment: Manifest) -> str:
    return str(deployment["spec"]["template"]["spec"])


def _route() -> Json:
    return {"backend": {"serviceName": "web"}}


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("${{ components.dv.host }}", "NAME being one of conf, db, keys"),
        ("${{ components.db.colour }}", ".host, .fqdn, .port, .name"),
        ("${{ app.owner }}", "app.name, app.namespace, app.cluster, app.id"),
        ("${{ components.keys.host }}", 'component "keys" has no Service'),
        ("${{ app.id", "has no end"),
        ("${{ }}", "means nothing"),
    ],
)
def test_what_means_nothing_is_refused_at_its_field(written: str, said: str) -> None:
    with pytest.raises(SpecError) as raised:
        parse_application(shop(conf(written)))
    (issue,) = raised.value.issues
    assert issue.field == "component[0].properties.conf.a"
    assert said in issue.message


def test_no_message_holds_a_secret() -> None:
    part = {"name": "other", "type": "secret", "properties": {"secret": {"a": "${{hunter2}}"}}}
    with pytest.raises(SpecError) as raised:
        parse_application(shop(part))
    assert "hunter2" not in str(raised.value)
