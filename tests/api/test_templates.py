"""Applications that are cloned from templates."""

import json
from typing import Any

import pytest

from kubemin.api.codes import ApiCode
from tests.api.conftest import Api, application
from tests.api.test_applications import MISSING


async def _template(api: Api, **changes: Any) -> str:
    made = await api.create(name="template", tmp_enable=True, **changes)
    return str(made["id"])


def _entry(template: str, **more: Any) -> dict[str, Any]:
    secret, env = {"token": "of my own"}, {"LEVEL": "debug"}
    return {"name": "mine", "template": {"id": template}, "properties": {"env": env, "secret": secret}, **more}


async def test_a_template_is_cloned_into_the_application(api: Api) -> None:
    template = await _template(api)
    whole = application(component=[_entry(template), {"name": "other", "type": "config"}])
    assert await api.post("/applications/try", whole) == {"valid": True, "errors": []}
    made = await api.post("/applications", whole)
    parts = (await api.get(f"/applications/{made['id']}/components"))["components"]
    found = {part["name"]: part for part in parts}
    assert set(found) == {"mine-web", "mine-conf", "mine-keys", "other"}
    assert (found["mine-web"]["type"], found["mine-web"]["image"]) == ("webservice", "web:1")
    assert found["mine-web"]["properties"]["env"] == {"LEVEL": "debug"}
    assert found["mine-keys"]["properties"]["secret"] == {"token": "******"}
    assert "hush-hush" not in str(await api.get(f"/applications/{made['id']}/components"))
    (flow,) = (await api.get(f"/applications/{made['id']}/workflows"))["workflows"]
    assert flow["steps"][0]["components"] == ["mine-web", "mine-conf", "mine-keys", "other"]
    before = (await api.get(f"/applications/{template}/components"))["components"]
    assert [part["name"] for part in before] == ["web", "conf", "keys"]


async def test_secret_values_are_not_copied(api: Api) -> None:
    template = await _template(api)
    bare = {"name": "mine", "template": {"id": template}}
    envelope = await api.post("/applications", application(component=[bare]), 400)
    assert envelope["code"] == ApiCode.MISSING_FIELD
    assert [error["field"] for error in envelope["errors"]] == ["component[0].properties.secret"]
    assert "hush-hush" not in str(envelope)


@pytest.mark.parametrize("size", [1, 5])
async def test_what_is_no_template_is_named(api: Api, size: int) -> None:
    plain = (await api.create(name="plain"))["id"]
    for wrong in (MISSING, plain, "../etc", "x"):
        parts = [{"name": f"c{number}", "template": {"id": wrong}} for number in range(size)]
        envelope = await api.post("/applications", application(component=parts), 400)
        assert envelope["code"] == ApiCode.TEMPLATE
        assert envelope["errors"][0]["field"] == "component[0].template.id"
    assert len((await api.get("/applications"))["applications"]) == 1


async def test_an_application_is_no_template_of_itself(api: Api) -> None:
    template = await _template(api)
    changed = application(id=template, name="template", tmp_enable=True, component=[_entry(template)])
    assert (await api.post("/applications", changed, 400))["code"] == ApiCode.TEMPLATE


@pytest.mark.parametrize("own", [[], {}, [{"a": 1}], 5, True])
async def test_an_id_that_is_no_text_is_a_mistake(api: Api, own: Any) -> None:
    """Where templates are looked for, too, as an application is never one of its own."""
    asked = application(component=[_entry(await _template(api))], id=own)
    refused = await api.post("/apply", {"application": asked}, 400)
    assert [one["field"] for one in refused["errors"]] == ["id"]
    assert not (await api.post("/applications/read", {"text": json.dumps(asked)}))["valid"]
    assert not (await api.post("/applications/try", asked))["valid"]
