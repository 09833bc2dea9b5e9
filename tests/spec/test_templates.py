"""Templates: what a clone is called, what follows its name, and what is never copied."""

from typing import Any

import pytest
from hypothesis import given

from kubemin.render import render
from kubemin.spec.application import Application, parse_application
from kubemin.spec.issues import IssueCode, SpecError
from kubemin.spec.limits import Limits
from kubemin.spec.objects import ObjectRef
from kubemin.spec.templates import expand_templates, template_ids

from .strategies import applications

Json = dict[str, Any]

DATABASE: Json = {
    "name": "database",
    "tmpEnable": True,
    "component": [
        {
            "name": "db",
            "type": "store",
            "namespace": "templates",
            "image": "postgres:17",
            "properties": {"ports": [{"port": 5432}], "env": {"A": "1", "B": "2"}},
            "traits": {
                "storage": [
                    {"name": "data", "type": "persistent", "tmpCreate": True},
                    {"name": "old", "type": "persistent"},
                    {"name": "conf", "type": "config"},
                    {"name": "certs", "type": "secret", "sourceName": "elsewhere"},
                ],
                "envFrom": [{"type": "secret", "sourceName": "login"}, {"type": "config", "sourceName": "elsewhere"}],
                "envs": [
                    {"name": "P", "valueFrom": {"secret": {"name": "login", "key": "PASSWORD"}}},
                    {"name": "C", "valueFrom": {"config": {"name": "conf", "key": "a"}}},
                ],
                "init": [
                    {
                        "properties": {"image": "x"},
                        "traits": {"storage": [{"name": "data", "type": "persistent", "mountPath": "/seed"}]},
                    }
                ],
                "rbac": [
                    {
                        "roleName": "reader",
                        "rules": [{"resources": ["configmaps"], "resourceNames": ["conf", "other"], "verbs": ["get"]}],
                    }
                ],
                "ingress": [
                    {
                        "name": "public",
                        "tls": [{"secretName": "login"}, {"secretName": "elsewhere"}],
                        "routes": [{"backend": {"serviceName": "db"}}, {"backend": {"serviceName": "elsewhere"}}],
                    }
                ],
            },
        },
        {"name": "login", "type": "secret", "properties": {"secret": {"USER": "u", "PASSWORD": "hunter2"}}},
        {"name": "conf", "type": "config", "properties": {"conf": {"a": "b"}}},
    ],
}
SINGLE: Json = {
    "name": "single",
    "tmpEnable": True,
    "component": [{"name": "x", "type": "webservice", "image": "nginx:1"}],
}
PRIVATE: Json = {**SINGLE, "tmpEnable": False}
TEMPLATES = {key: parse_application(data) for key, data in (("db", DATABASE), ("one", SINGLE), ("private", PRIVATE))}

GIVEN: Json = {"secret": {"USER": "me", "PASSWORD": "mine", "EXTRA": "x"}}


ODD: tuple[Any, ...] = (None, [], {}, {"component": 1}, {"component": [1, {"template": 1}, {"template": {"id": 1}}]})


def expand(*components: Json, **fields: Any) -> Application:
    data = {"name": "shop", "component": list(components), **fields}
    return parse_application(data, expand=lambda application: expand_templates(application, TEMPLATES.get))


def entry(name: str, id_: str, target: str = "", **properties: Any) -> Json:
    return {"name": name, "template": {"id": id_, "target": target}, "properties": properties}


def test_a_single_component_takes_the_name() -> None:
    (clone,) = expand(entry("web", "one", env={"A": "1"})).component
    assert (clone.name, clone.type, clone.image) == ("web", "webservice", "nginx:1")
    assert clone.properties.env == {"A": "1"}
    assert clone.template is None


def test_several_components_take_it_as_prefix_and_refer_to_each_other() -> None:
    application = expand(entry("main", "db", **GIVEN))
    db, login, conf = application.component
    assert [part.name for part in application.component] == ["main-db", "main-login", "main-conf"]
    assert application.namespace_of(db) == "default"
    traits = db.traits
    assert [(one.name, one.mounted_at, one.source) for one in traits.storage] == [
        ("data", "/mnt/data", "data"),
        ("old", "/mnt/old", "old"),
        ("conf", "/mnt/conf", "main-conf"),
        ("certs", "/mnt/certs", "elsewhere"),
    ]
    assert [one.source_name for one in traits.env_from] == ["main-login", "elsewhere"]
    assert [one.value_from.dump() for one in traits.envs] == [
        {"secret": {"name": "main-login", "key": "PASSWORD"}},
        {"config": {"name": "main-conf", "key": "a"}},
    ]
    assert [one.name for one in traits.init[0].traits.storage] == ["data"]
    assert traits.rbac[0].role("shop-db", "default") == "main-reader"
    assert traits.rbac[0].account("shop-main-db") == "shop-main-db"
    assert traits.rbac[0].rules[0].resource_names == ["main-conf", "other"]
    assert traits.ingress[0].name == "main-public"
    assert [one.secret_name for one in traits.ingress[0].tls] == ["main-login", "elsewhere"]
    assert [one.backend.service_name for one in traits.ingress[0].routes] == ["main-db", "elsewhere"]
    assert conf.properties.conf == {"a": "b"}
    assert login.properties.secret == {"USER": "me", "PASSWORD": "mine"}


def test_variables_are_merged_and_further_entries_override_their_target() -> None:
    application = expand(
        entry("main", "db", env={"B": "3", "C": "4"}),
        entry("main-settings", "db", "db", env={"C": "5"}),
        entry("main-keys", "db", "login", **GIVEN),
    )
    db, login, _ = application.component
    assert [part.name for part in application.component] == ["main-db", "main-login", "main-conf"]
    assert db.properties.env == {"A": "1", "B": "3", "C": "5"}
    assert [variable.name for variable in db.traits.envs] == ["P"]
    assert login.properties.env == {}
    assert db.properties.secret == {}
    assert login.properties.secret == GIVEN["secret"]


@pytest.mark.parametrize("secret", [{}, {"USER": "me"}])
def test_secret_values_must_be_given(secret: Json) -> None:
    with pytest.raises(SpecError) as caught:
        expand(entry("main", "db", secret=secret))
    (issue,) = caught.value.issues
    assert (issue.field, issue.code) == ("component[0].properties.secret", IssueCode.MISSING_REQUIRED_FIELD)
    assert "PASSWORD" in issue.message
    assert "hunter2" not in issue.message


@pytest.mark.parametrize("id_", ["private", "nowhere"])
def test_only_templates_are_cloned(id_: str) -> None:
    with pytest.raises(SpecError) as caught:
        expand(entry("a", id_), entry("b", id_))
    assert {(issue.field, issue.code) for issue in caught.value.issues} == {
        ("component[0].template.id", IssueCode.TEMPLATE_NOT_FOUND)
    }


def test_mistakes_in_entries() -> None:
    with pytest.raises(SpecError) as caught:
        expand(entry("a", "one", "y"))
    assert [(issue.field, issue.code) for issue in caught.value.issues] == [
        ("component[0].template.target", IssueCode.COMPONENT_NOT_FOUND)
    ]
    with pytest.raises(SpecError) as caught:
        expand({"name": "a", "template": {}})
    assert [(issue.field, issue.code) for issue in caught.value.issues] == [
        ("component[0].template.id", IssueCode.MISSING_REQUIRED_FIELD)
    ]


def test_clones_are_checked_with_the_rest() -> None:
    taken = {"name": "main-conf", "type": "config"}
    with pytest.raises(SpecError) as caught:
        expand(taken, entry("main", "db", **GIVEN))
    assert IssueCode.DUPLICATE_COMPONENT in {issue.code for issue in caught.value.issues}
    data = {"name": "shop", "component": [entry("main", "db", **GIVEN)]}
    with pytest.raises(SpecError, match="has 3 components; at most 2"):
        parse_application(data, Limits(max_components=2), lambda app: expand_templates(app, TEMPLATES.get))


def test_steps_name_the_clones() -> None:
    application = expand(
        {"name": "web", "type": "webservice", "image": "nginx:1"},
        entry("main", "db"),
        entry("keys", "db", "login", **GIVEN),
        workflow=[
            {"name": "keys"},
            {"name": "rest", "mode": "DAG", "components": ["web"], "subSteps": [{"name": "main"}]},
        ],
    )
    keys, rest = application.steps()
    assert keys.targets == ["main-login"]
    assert rest.targets == ["web"]
    assert rest.sub_steps[0].targets == ["main-db", "main-conf"]


def test_ids_are_found_in_unread_input() -> None:
    assert template_ids({"component": [entry("a", "one"), entry("b", "db"), {"name": "c"}]}) == {"one", "db"}
    for odd in ODD:
        assert template_ids(odd) == set()


@given(applications(max_components=6))
def test_a_clone_clashes_with_nothing(template: Application) -> None:
    """Every application can be a template, and be cloned beside itself: into one namespace, under one id."""
    template = template.model_copy(update={"tmp_enable": True})
    secret = {key: "new" for part in template.component for key in part.properties.secret}
    data = {"name": "shop", "component": [entry("copy", "t", secret=secret)]}
    application = parse_application(data, expand=lambda one: expand_templates(one, lambda _: template))
    # A volume claim that is only named is the same one for both.
    clones = {ObjectRef.of(item.manifest) for item in render(application) if not item.if_absent}
    originals = {ObjectRef.of(item.manifest) for item in render(template) if not item.if_absent}
    assert len(clones) == len(originals)
    assert not clones & originals
