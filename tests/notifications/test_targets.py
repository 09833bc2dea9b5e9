"""Targets as an operator writes them: whom they are told of, and what is wrong with them, without a secret in it."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import SecretStr

from kubemin.notifications.targets import ConfigurationError, Target, parse_targets
from kubemin.settings import Settings
from tests.notifications.rows import SECRET, target

GOOD: dict[str, Any] = {"name": "ops", "url": "https://ops.example/hook", "secret": SECRET}
HUSH = "hush-hush-hush"


def parsed(*targets: Any) -> tuple[Target, ...]:
    return parse_targets(yaml.safe_dump(list(targets)))


def test_all_of_it() -> None:
    ops, chat, json, status = parsed(
        {**GOOD, "secret": [SECRET, SECRET], "on": ["failed", "drift"], "namespaces": ["prod"], "publicOnly": True},
        {"name": "chat", "template": "slack", "urlFile": "/run/secrets/slack"},
        {"name": "own", "template": "json", "url": "http://10.0.0.1/x", "body": {"text": "{title}"}},
        {"name": "ci", "template": "github-status", "url": "https://api.github.com", "token": HUSH},
    )
    assert len(ops.keys()) == 2
    assert ops.on == ["failed", "drift"]
    assert chat.url is None
    assert json.body == {"text": "{title}"}
    assert status.is_status


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"name": "Ops!"}, "0.name: a name has"),
    ({"url": None}, "url or urlFile"),
    ({"url": f"ftp://{HUSH}/"}, "url is no http"),
    ({"url": f"https://ada:{HUSH}@x.example/"}, "neither a user nor a fragment"),
    ({"url": f"https://x.example:port{HUSH}/"}, "url is no URL"),
    ({"url": f"https://x.example/{HUSH}\x1b"}, "url is no http"),
    ({"urlFile": "/x"}, "url and urlFile exclude each other"),
    ({"secret": HUSH}, "a secret begins with whsec_"),
    ({"secret": f"whsec_{HUSH}"}, "whsec_ and base64"),
    ({"secret": None}, "template standard needs secret"),
    ({"secret": [HUSH]}, "a secret begins with whsec_"),
    ({"template": "teams"}, "0.template: Input should be"),
    ({"template": "slack"}, "signs nothing"),
    ({"template": "json"}, "template json needs body"),
    ({"body": {}}, "template json needs body"),
    ({"template": "json", "body": {"text": "{nothing}"}}, "there is no field {nothing}"),
    ({"template": "json", "body": {"text": "{title.__class__}"}}, "there is no field {title.__class__}"),
    ({"template": "json", "body": {"text": "{title!r}"}}, "there is no field {title}"),
    ({"template": "json", "body": {"text": "{"}}, "write {{ for a brace"),
    ({"on": ["exploded"]}, "0.on.0: Input should be"),
    ({"token": HUSH}, "token is for github-status"),
    ({"template": "github-status", "secret": None}, "needs token or tokenFile"),
    ({"template": "github-status", "secret": None, "token": HUSH, "on": ["failed"]}, "leave on out"),
    ({"repositories": ["a/b"]}, "are for github-status"),
    ({"urls": "x"}, "0.urls: Extra inputs are not permitted"),
]


@pytest.mark.parametrize(("change", "said"), WRONG)
def test_what_is_wrong_is_named_and_no_secret_is_repeated(change: dict[str, Any], said: str) -> None:
    given = {key: value for key, value in {**GOOD, **change}.items() if value is not None}
    with pytest.raises(ConfigurationError, match=re.escape(said)) as refused:
        parsed(given)
    assert HUSH not in str(refused.value)


@pytest.mark.parametrize("text", ["a: b", "- x", "{", "- name: [", "[]\n---\n[]"])
def test_what_is_no_list_of_targets_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError):
        parse_targets(text)


def test_two_of_one_name_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="two targets are called ops"):
        parsed(GOOD, GOOD)


def test_nothing_secret_is_shown_of_a_target_or_of_the_settings(tmp_path: Path) -> None:
    slack = {"name": "chat", "template": "slack", "url": f"https://hooks.example/{HUSH}"}
    text = yaml.safe_dump(
        [slack, {"name": "ci", "template": "gitlab-status", "url": "https://x.example", "token": HUSH}]
    )
    path = tmp_path / "targets.yaml"
    path.write_text(text)
    for given in (text, str(path)):
        settings = Settings(notifications=SecretStr(given))
        assert [one.name for one in settings.targets] == ["chat", "ci"]
        assert HUSH not in repr(settings) + repr(settings.targets) + settings.model_dump_json()


def test_a_setting_that_is_wrong_stops_the_server_and_repeats_nothing(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="the file cannot be read") as refused:
        Settings(notifications=SecretStr(str(tmp_path / "absent")))
    for given in (yaml.safe_dump([{**GOOD, "secret": HUSH}]), yaml.safe_dump([{**GOOD, "extra": HUSH}])):
        with pytest.raises(ValueError, match="target 0") as refused:
            Settings(notifications=SecretStr(given))
        assert HUSH not in str(refused.value)


def test_files_are_read_for_each_message(tmp_path: Path) -> None:
    url, keys = tmp_path / "url", tmp_path / "keys"
    url.write_text("https://one.example/x\n")
    keys.write_text(f"{SECRET}\n")
    (one,) = parsed({"name": "ops", "urlFile": str(url), "secretFile": str(keys)})
    assert (one.address(), len(one.keys())) == ("https://one.example/x", 1)
    url.write_text("https://two.example/y")
    keys.write_text(f"{SECRET}\n{SECRET}\n")
    assert (one.address(), len(one.keys())) == ("https://two.example/y", 2)
    for path, text in ((url, f"not {HUSH}"), (keys, HUSH), (keys, "")):
        path.write_text(text)
        with pytest.raises(ConfigurationError) as refused:
            (one.address(), one.keys())
        assert HUSH not in str(refused.value)
        url.write_text("https://two.example/y")
    keys.unlink()
    with pytest.raises(ConfigurationError, match="cannot be read: No such file"):
        one.keys()


ABOUT = {"namespace": "prod", "name": "shop", "project": "retail"}


@pytest.mark.parametrize(
    ("filters", "wants"),
    [
        ({}, True),
        ({"namespaces": ["prod"]}, True),
        ({"namespaces": ["test"]}, False),
        ({"projects": ["retail"], "applications": ["shop"]}, True),
        ({"projects": ["retail"], "applications": ["blog"]}, False),
        ({"applications": ["prod~shop"]}, True),
        ({"applications": ["test~shop"]}, False),
        ({"applications": ["default~prod~shop"]}, True),
        ({"clusters": ["default"]}, True),
        ({"clusters": ["edge"]}, False),
        ({"on": ["failed"]}, True),
        ({"on": ["completed"]}, False),
    ],
)
def test_whom_it_is_told_of(filters: dict[str, Any], wants: bool) -> None:
    assert target("https://x.example", **filters).wants("task.failed", ABOUT) is wants


@pytest.mark.parametrize(
    ("filters", "wants"),
    [
        ({}, True),
        ({"clusters": ["edge", "prod"], "namespaces": ["prod"]}, True),
        ({"clusters": ["default"]}, False),
        ({"applications": ["shop"]}, True),
        ({"applications": ["edge~prod~shop"]}, True),
        ({"applications": ["prod~shop"]}, False),  # that is one of the cluster `default`
    ],
)
def test_whom_it_is_told_of_in_another_cluster(filters: dict[str, Any], wants: bool) -> None:
    about = {**ABOUT, "cluster": "edge"}
    assert target("https://x.example", **filters).wants("task.failed", about) is wants


def test_statuses_go_with_commits_alone() -> None:
    ci = target("https://x.example", template="github-status", token=HUSH, repositories=["octo/shop"])
    commit = {"repository": "octo/shop", "sha": "a" * 40}
    assert ci.wants("task.created", {**ABOUT, "commit": commit})
    assert not ci.wants("task.created", ABOUT)
    assert not ci.wants("task.created", {**ABOUT, "commit": {**commit, "repository": "octo/other"}})
    assert not ci.wants("cleanup.incomplete", {**ABOUT, "commit": commit})
    assert not target("https://x.example").wants("task.created", {**ABOUT, "commit": commit})
