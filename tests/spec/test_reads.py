"""Configuration is deployed before what reads it."""

from typing import Any

import pytest

from kubemin.spec.application import parse_application
from kubemin.spec.issues import SpecError
from kubemin.spec.reads import read_components

CONFIGURATION = [
    {"name": "settings", "type": "config", "properties": {"conf": {"LEVEL": "a"}}},
    {"name": "keys", "type": "secret", "properties": {"secret": {"LEVEL": "a"}}},
]
_FROM = {"envFrom": [{"type": "configMap", "sourceName": "settings"}]}
READERS: dict[str, Any] = {
    "envFrom": _FROM,
    "envs": {"envs": [{"name": "LEVEL", "valueFrom": {"secret": {"name": "keys", "key": "LEVEL"}}}]},
    "storage": {"storage": [{"name": "keys", "type": "secret", "mountPath": "/keys"}]},
    "init": {"init": [{"properties": {"image": "init:1"}, "traits": _FROM}]},
    "sidecar": {"sidecar": [{"image": "beside:1", "traits": _FROM}]},
}


def shop(traits: Any, *steps: Any) -> dict[str, Any]:
    api = {"name": "api", "type": "webservice", "image": "api:1", "traits": traits}
    return {"name": "shop", "component": [*CONFIGURATION, api], "workflow": list(steps)}


def step(*names: str, mode: str = "StepByStep") -> dict[str, Any]:
    return {"name": f"deploy-{names[0]}", "mode": mode, "components": list(names)}


ORDERS: dict[str, tuple[list[Any], str | None]] = {
    "in one DAG step": ([step("api", "settings", "keys", mode="DAG")], None),
    "before it": ([step("settings", "keys", "api")], None),
    "in a step before": ([step("settings", "keys"), step("api")], None),
    "in no step": ([step("api")], None),
    "after it": ([step("api", "settings", "keys")], "workflow[0].components[0]"),
    "in a step after": ([step("api", mode="DAG"), step("settings", "keys", mode="DAG")], "workflow[0].components[0]"),
    "a sub-step before": (
        [{"name": "all", "subSteps": [{"name": "api"}, {"name": "rest", "components": ["settings", "keys"]}]}],
        "workflow[0].subSteps[0].name",
    ),
}


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("reader", READERS)
def test_a_step_may_not_come_before_the_configuration_that_it_reads(reader: str, order: str) -> None:
    steps, field = ORDERS[order]
    if field is None:
        application = parse_application(shop(READERS[reader], *steps))
        assert len(read_components(application, application.component[2])) == 1
        return
    with pytest.raises(SpecError, match=r'Component "api" reads "(settings|keys)"') as refused:
        parse_application(shop(READERS[reader], *steps))
    assert [issue.field for issue in refused.value.issues] == [field]


def test_of_others_the_order_does_not_matter() -> None:
    traits = {"envFrom": [{"type": "config", "sourceName": "elsewhere"}, {"type": "secret", "sourceName": "settings"}]}
    parse_application(shop(traits, step("api", "settings", "keys")))
