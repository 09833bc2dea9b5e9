"""Saving a draft through the API: what was read is sent back, and what is left out stays."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from kubemin.api.codes import ApiCode
from kubemin.spec.config import MASK
from kubemin.store import components
from tests.api.conftest import Api, application

SHOP = yaml.safe_load((Path(__file__).parents[2] / "examples/shop.yaml").read_text())


def _secret(name: str, **values: str) -> dict[str, Any]:
    return {"name": name, "type": "secret", "properties": {"secret": values}}


async def _values(api: Api, app_id: str) -> dict[str, dict[str, str]]:
    async with api.db.read() as tx:
        parts = await components.of_application(tx, app_id)
    return {part.name: part.read.properties.secret for part in parts}


async def test_what_was_read_can_be_saved_and_changes_nothing(api: Api) -> None:
    made = await api.post("/applications", SHOP)
    path = f"/applications/{made['id']}/components"
    before, secrets = await api.get(path), await _values(api, made["id"])
    draft = {"id": made["id"], "name": made["name"], "component": before["components"]}
    assert (await api.post("/applications/try", draft))["valid"] is True
    await api.post("/applications", draft)
    assert await api.get(path) == before
    assert await _values(api, made["id"]) == secrets


async def test_what_only_replies_have_is_no_field_of_a_new_application(api: Api) -> None:
    part = {"name": "web", "type": "webservice", "image": "web:1", "status": "Running"}
    envelope = await api.post("/applications", application(component=[part]), 400)
    assert [one["field"] for one in envelope["errors"]] == ["component[0].status"]


async def test_traits_that_a_save_leaves_out_stay(api: Api) -> None:
    traits = {"resources": {"cpu": "1"}, "envFrom": [{"type": "config", "sourceName": "conf"}]}
    part = {"name": "web", "type": "webservice", "image": "web:1", "replicas": 0, "traits": traits}
    made = await api.create(component=[part])
    sent = {"name": "web", "type": "webservice", "image": "web:2", "replicas": 1, "properties": {}}
    await api.post("/applications", {"id": made["id"], "name": "shop", "component": [sent]})
    [found] = (await api.get(f"/applications/{made['id']}/components"))["components"]
    assert (found["image"], found["replicas"]) == ("web:2", 0)
    assert {name: found["traits"][name] for name in traits} == traits


async def test_a_masked_secret_of_a_copied_component_is_the_templates_own(api: Api) -> None:
    await api.post("/applications", {"name": "base", "tmpEnable": True, "component": [_secret("login", A="a", B="b")]})
    made = await api.create(name="copy", component=[_secret("login", A=MASK, B="mine")])
    assert (await _values(api, made["id"]))["login"] == {"A": "a", "B": "mine"}


async def test_a_masked_secret_of_a_clone_is_the_templates_own_and_a_stored_one_comes_first(api: Api) -> None:
    template = {"name": "base", "tmpEnable": True, "component": [_secret("login", A="a", B="b")]}
    base = await api.post("/applications", template)
    entry = {"name": "key", "template": {"id": base["id"]}, "properties": {"secret": {"A": MASK, "B": "mine"}}}
    made = await api.create(name="clone", component=[entry])
    assert (await _values(api, made["id"]))["key"] == {"A": "a", "B": "mine"}
    entry["properties"] = {"secret": {"A": MASK, "B": MASK}}
    await api.post("/applications", {"id": made["id"], "name": "clone", "component": [entry]})
    assert (await _values(api, made["id"]))["key"] == {"A": "a", "B": "mine"}


@pytest.mark.parametrize(
    ("others", "why"),
    [
        ([], "there is none"),
        ([{"name": "plain", "component": [_secret("login", A="a")]}], "there is none"),
        ([{"name": "base", "tmpEnable": True, "component": [_secret("login", B="b")]}], "there is none"),
        (
            [{"name": f"b{value}", "tmpEnable": True, "component": [_secret("login", A=value)]} for value in "12"],
            "several",
        ),
    ],
)
async def test_a_mask_that_means_nothing_or_more_is_refused_without_a_value(
    api: Api, others: list[dict[str, Any]], why: str
) -> None:
    for other in others:
        await api.post("/applications", other)
    envelope = await api.post("/applications", application(component=[_secret("login", A=MASK)]), 400)
    assert envelope["code"] == ApiCode.MISSING_FIELD
    assert why in envelope["message"]
