"""Which variables are taken for secrets, what is shown of them, and that a mask that is sent back loses nothing."""

import itertools
import json
import secrets
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubemin.cli.offline import _masked
from kubemin.engine.objects.diff import LAST_APPLIED, Hidden, differences, format_difference
from kubemin.engine.objects.masking import Mask, secret_values
from kubemin.render import render
from kubemin.spec.application import parse_application
from kubemin.spec.component import Component
from kubemin.spec.component_secrets import masked_traits, values_in, with_values
from kubemin.spec.config import MASK
from kubemin.spec.limits import Limits
from kubemin.spec.sensitive import SensitiveEnv, looks_sensitive


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DB_PASSWORD", "x"),
        ("dbPassword", "x"),
        ("GITHUB_TOKEN", "x"),
        ("API_KEY", "x"),
        ("apiKey", "x"),
        ("SECRET_KEY_BASE", "x"),
        ("AWS_SECRET_ACCESS_KEY", "x"),
        ("SMTP_CREDENTIALS", "x"),
        ("DATABASE_URL", "postgres://shop:hunter2@db/shop"),
        ("X", "redis://:hunter2@cache:6379/0"),
        ("X", "kJ8s0Qz+Lr3vYb1N7xWfD2pTgE5uHc9A"),
    ],
)
def test_it_looks_like_a_secret(name: str, value: str) -> None:
    assert looks_sensitive(name, value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DB_PASSWORD", ""),
        ("PASSWORD_FILE", "/run/secrets/db"),
        ("USE_TOKEN", "true"),
        ("SSH_PUBLIC_KEY", "ssh-ed25519 AAAA"),
        ("KEYCLOAK_REALM", "shop"),
        ("MONKEY", "george"),
        ("GREETING", "hello"),
        ("DATABASE_URL", "postgres://db/shop"),
        ("URL", "https://example.org:8080/a/b?c=d"),
        ("IMAGE", "registry.example.org/team/web:1.2.3"),
        ("SECRET_NAME", "db"),
        ("TOKEN_TTL", "3600"),
        ("CLASS", "org.example.shop.SomeVeryLongClassNameFactoryFactory"),
        ("TOPIC", "orders-created-and-paid-and-shipped"),
    ],
)
def test_it_does_not(name: str, value: str) -> None:
    assert not looks_sensitive(name, value)


@given(st.integers(24, 48))
def test_random_text_is_recognised_by_itself(length: int) -> None:
    text = secrets.token_urlsafe(length)
    assert looks_sensitive("X", text) or not all(
        any(test(letter) for letter in text) for test in (str.isdigit, str.islower, str.isupper)
    )


def deployment(env: list[dict[str, str]], marks: str = "") -> dict[str, Any]:
    annotations = {"annotations": {"kubemin.io/sensitive-env": marks}} if marks else {}
    template = {
        "metadata": {"labels": {"a": "b"}, **annotations},
        "spec": {"containers": [{"name": "web", "env": env}]},
    }
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "w"}, "spec": {"template": template}}


ENVS: list[tuple[list[dict[str, str]], list[dict[str, str]], str]] = [
    ([{"name": "DB_PASSWORD", "value": "old-canary"}], [{"name": "DB_PASSWORD", "value": "new-canary"}], ""),
    ([], [{"name": "DB_PASSWORD", "value": "new-canary"}], ""),
    ([{"name": "PLAIN", "value": "old-canary"}], [{"name": "PLAIN", "value": "new-canary"}], "PLAIN"),
    ([{"name": "A", "value": "1"}, {"name": "PLAIN", "value": "old-canary"}], [{"name": "A", "value": "1"}], "PLAIN"),
]


@pytest.mark.parametrize(("old", "new", "marks"), ENVS)
def test_a_difference_tells_the_variable_and_not_its_value(
    old: list[dict[str, str]], new: list[dict[str, str]], marks: str
) -> None:
    one, two = deployment(old, marks), deployment(new, marks)
    lines = [format_difference(*found, Hidden("Deployment", one, two)) for found in differences(one, two)]
    assert lines
    assert "canary" not in str(lines)
    assert MASK in str(lines)


def test_what_is_marked_as_no_secret_is_shown_and_so_is_a_guess_where_nobody_wants_one() -> None:
    one, two = deployment([]), deployment([{"name": "API_KEY", "value": "public-one"}], "!API_KEY")
    assert "public-one" in str([format_difference(*f, Hidden("Deployment", one, two)) for f in differences(one, two)])
    assert SensitiveEnv(deployment([]), guess=True)("API_KEY", "x")
    assert not SensitiveEnv(deployment([]), guess=False)("API_KEY", "x")
    assert SensitiveEnv(deployment([], "API_KEY"), guess=False)("API_KEY", "x")


def test_logs_mask_values_passwords_of_urls_and_no_guessed_words() -> None:
    env = [
        {"name": "DATABASE_URL", "value": "postgres://shop:canary-one@db/shop"},
        {"name": "POSTGRES_PASSWORD", "value": "shop"},
        {"name": "PLAIN", "value": "abc"},
    ]
    mask = Mask(secret_values([deployment(env, "PLAIN")]))
    assert mask("of shop: canary-one, abc, postgres://shop:canary-one@db/shop") == f"of shop: {MASK}, {MASK}, {MASK}"


def component(value: str, **fields: Any) -> Component:
    env = {"name": "PLAIN", "valueFrom": {"static": value}, "sensitive": True}
    shown = {"name": "API_KEY", "valueFrom": {"static": "shown"}, "sensitive": False}
    nested = {"name": "init", "properties": {"image": "a:1"}, "traits": {"envs": [env]}}
    traits = {
        "envs": [env, shown],
        "init": [nested],
        "sidecar": [{"name": "s", "image": "a:1", "traits": {"envs": [env]}}],
    }
    return Component.model_validate({"name": "web", "type": "webservice", "image": "web:1", "traits": traits, **fields})


def test_a_marked_value_is_masked_in_replies_and_a_mask_sent_back_means_what_is_stored() -> None:
    stored = component("canary")
    reply = masked_traits(stored.traits.dump())
    assert "canary" not in str(reply)
    assert "shown" in str(reply)
    sent = Component.model_validate({**stored.dump(), "traits": reply})
    assert set(values_in(sent).values()) == {MASK}
    assert with_values(sent, values_in(stored)) == stored
    changed = component("another")
    assert with_values(changed, values_in(stored)) == changed


def test_marks_go_with_the_pods() -> None:
    part = component("canary").posted()
    application = parse_application({"name": "shop", "component": [part]}, Limits())
    (workload,) = [one.manifest for one in render(application) if one.manifest["kind"] == "Deployment"]
    assert workload["spec"]["template"]["metadata"]["annotations"]["kubemin.io/sensitive-env"] == "!API_KEY,PLAIN"
    assert "canary" not in str(SensitiveEnv(workload).masked(workload, MASK))
    plain = parse_application(
        {"name": "shop", "component": [{"name": "web", "type": "webservice", "image": "w:1"}]}, Limits()
    )
    (workload,) = [one.manifest for one in render(plain) if one.manifest["kind"] == "Deployment"]
    assert "kubemin.io/sensitive-env" not in str(workload)


PLACE = "https://shop:hunter2-x@db.example/shop"
SHOWN_OF_CONFIG = [
    ("LOG_LEVEL", "debug", "debug"),
    ("url", "https://db.example/shop", "https://db.example/shop"),
    ("url", PLACE, MASK),
    ("api-key", "hunter2-x", MASK),
    ("tls.key", "-----BEGIN\nhunter2-x\n-----END\n", MASK),
    ("password-file", "/run/hunter2", "/run/hunter2"),
    ("use-token", "true", "true"),
    ("app.ini", f"level = debug\nplace = {PLACE}\n", f"level = debug\nplace = https://shop:{MASK}@db.example/shop\n"),
    ("id", "kJ8s0Qz+Lr3vYb1N7xWfD2pTgE5uHc9A", MASK),
]


@pytest.mark.parametrize(("key", "value", "shown"), SHOWN_OF_CONFIG)
def test_of_configuration_what_looks_like_a_secret_is_not_shown(key: str, value: str, shown: str) -> None:
    def config(data: dict[str, str] | None, **annotations: str) -> dict[str, Any]:
        meta = {"name": "c", "annotations": annotations}
        return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, **({} if data is None else {"data": data})}

    hidden = Hidden("ConfigMap", config({key: value}))
    assert hidden.shown(f"data.{key}", value) == shown
    assert hidden.shown("data", {key: value, "a": "1"}) == {key: shown, "a": "1"}
    assert hidden.shown("data", None) is None
    copied = {LAST_APPLIED: json.dumps(config({key: value}))}
    versions = [config(None), config({"a": "1"}), config({key: value, "a": "1"}), config({"a": "1"}, **copied)]
    for before, after in itertools.permutations(versions, 2):
        lines = str(
            [format_difference(*found, Hidden("ConfigMap", before, after)) for found in differences(before, after)]
        )
        assert value == shown or "hunter2-x" not in lines
    assert Hidden("ConfigMap", guess=False).shown(f"data.{key}", value) == value
    assert Hidden("Deployment").shown(f"data.{key}", value) == value
    printed = json.dumps(_masked([config({key: value})], MASK, guess=True))
    assert json.dumps(shown) in printed
