"""Fields that the web console sends: taken for what they mean, or kept with a warning."""

from typing import Any

import pytest

from kubemin.spec.application import Application, parse_application
from kubemin.spec.ignored import ignored_fields
from kubemin.spec.issues import IssueCode, SpecError
from kubemin.spec.templates import expand_templates

Json = dict[str, Any]


def _application(traits: Json, **fields: Any) -> Json:
    web = {"name": "web", "type": "webservice", "image": "web:1", "properties": {"ports": [{"port": 80}]}}
    return {"name": "shop", "component": [{**web, "traits": traits}], **fields}


def _ingress(backend: Json | None = None, **fields: Any) -> Json:
    return {"ingress": [{"routes": [{"backend": {"serviceName": "web", **(backend or {})}}], **fields}]}


@pytest.mark.parametrize("nested", [False, True])
def test_resource_is_resources(nested: bool) -> None:
    def around(traits: Json) -> Json:
        return _application({"sidecar": [{"name": "log", "image": "log:1", "traits": traits}]} if nested else traits)

    read = [parse_application(around({name: {"cpu": "1"}})) for name in ("resource", "resources")]
    assert read[0].model_dump() == read[1].model_dump()
    with pytest.raises(SpecError, match="given twice"):
        parse_application(around({"resource": {"cpu": "1"}, "resources": {"cpu": "2"}}))


@pytest.mark.parametrize(("namespace", "own"), [("apps", None), ("other", "other")])
def test_the_namespace_of_an_ingress_is_that_of_its_component(namespace: str, own: str | None) -> None:
    data = _application(_ingress(namespace=namespace), namespace="apps")
    data["component"][0]["namespace"] = own
    assert parse_application(data).component[0].traits.ingress[0].namespace == namespace
    data["component"][0]["traits"]["ingress"][0]["namespace"] = "elsewhere"
    with pytest.raises(SpecError) as refused:
        parse_application(data)
    assert [(issue.field, issue.code) for issue in refused.value.issues] == [
        ("component[0].traits.ingress[0].namespace", IssueCode.INVALID_TRAIT_CONFIG)
    ]


def test_a_clone_leaves_the_namespace_of_its_template() -> None:
    template = parse_application(_application(_ingress(namespace="default"), tmpEnable=True))
    entry = {"name": "mine", "template": {"id": "base"}}
    clone = parse_application(
        {"name": "copy", "namespace": "apps", "component": [entry]},
        expand=lambda read: expand_templates(read, lambda _: template),
    )
    assert clone.component[0].traits.ingress[0].namespace == ""


def test_what_has_no_effect_is_kept_and_named() -> None:
    application = parse_application(_application(_ingress({"weight": 80, "headers": {"X-Canary": "1"}})))
    backend = application.component[0].traits.ingress[0].routes[0].backend
    assert (backend.weight, backend.headers) == (80, {"X-Canary": "1"})
    assert Application.model_validate(application.dump()).dump() == application.dump()
    path = "component[0].traits.ingress[0].routes[0].backend"
    assert [(one.field, one.code) for one in ignored_fields(application)] == [
        (f"{path}.weight", "IGNORED_FIELD"),
        (f"{path}.headers", "IGNORED_FIELD"),
    ]
    assert list(ignored_fields(parse_application(_application(_ingress())))) == []
