"""What is sent, by each template: no field is lost, nothing is taken for markup, and signatures are the standard's."""

import base64
import json
import secrets
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook

from kubemin.notifications.message import fields_of, message, request_of, title
from kubemin.notifications.signing import BadSecret, key_of, signed
from kubemin.notifications.statuses import status_of
from kubemin.notifications.targets import KINDS, Target
from kubemin.spec.characters import has_unseen
from kubemin.store.outbox import Event
from tests.notifications.rows import PUBLIC, target

AT = datetime(2026, 11, 30, 12, 0, tzinfo=UTC)
DATA: dict[str, Any] = {
    "taskId": "m8d2h5s0r4f7j1l9p3u6e0xb",
    "appId": "5be479caf0c09a3b1ddc133b",
    "cluster": "default",
    "namespace": "prod",
    "name": "shop",
    "project": "retail",
    "kind": "deploy",
    "revision": 7,
    "status": "failed",
    "reason": "web: <b>no</b> & never",
    "reasonCode": "IMAGE",
    "cleanup": "pending",
    "remaining": "",
    "user": "ada",
    "cancelledBy": None,
    "commit": {"repository": "octo/shop", "sha": "a" * 40},
}
TEXT = st.text(st.characters(codec="utf-8"), max_size=60)


def event(kind: str = "task.failed", **changes: Any) -> Event:
    return Event(1, "k3v9x0q2m7c4t8b1n5z6w0ya", kind, DATA["appId"], {**DATA, **changes}, AT)


def sent(to: Target, kind: str = "task.failed", **changes: Any) -> Any:
    return json.loads(request_of(to, event(kind, **changes), PUBLIC).body)


def test_the_message() -> None:
    assert message(event(), PUBLIC) == {
        "type": "task.failed",
        "timestamp": "2026-11-30T12:00:00.000Z",
        "data": {
            "taskId": "m8d2h5s0r4f7j1l9p3u6e0xb",
            "appId": "5be479caf0c09a3b1ddc133b",
            "application": "prod~shop",
            "project": "retail",
            "kind": "deploy",
            "revision": 7,
            "status": "failed",
            "reason": "web: <b>no</b> & never",
            "reasonCode": "IMAGE",
            "cleanup": "pending",
            "user": "ada",
            "commit": {"repository": "octo/shop", "sha": "a" * 40},
            "url": "https://kubemin.example/#/tasks/m8d2h5s0r4f7j1l9p3u6e0xb",
        },
    }


def test_another_cluster_than_the_default_is_named() -> None:
    told = event(cluster="edge")
    data = message(told, PUBLIC)["data"]
    assert (data["cluster"], data["application"]) == ("edge", "edge~prod~shop")
    assert title(told) == "edge/prod/shop: failed"
    assert title(event()) == "prod/shop: failed"
    one = status_of(target("https://x.example", template="github-status", token="t" * 9), told, None, "t")
    assert json.loads(one.body)["context"] == "kubemin/edge/shop"
    to = target("https://x.example", template="json", body={"where": "{cluster}"})
    assert sent(to) == {"where": "default"}


def test_without_a_public_address_there_is_no_link() -> None:
    assert "url" not in message(event(), None)["data"]


def test_a_long_reason_is_cut() -> None:
    assert len(message(event(reason="x" * 100_000), PUBLIC)["data"]["reason"]) == 2000


@given(reason=TEXT, name=TEXT)
def test_slack_takes_nothing_for_its_own_marks(reason: str, name: str) -> None:
    text = sent(target("https://hooks.example/T/B/x", template="slack"), reason=reason, name=name or "shop")["text"]
    *lines, link = text.split("\n")
    assert link == f"<{PUBLIC}/#/tasks/{DATA['taskId']}|details>"
    for line in lines:
        assert not {"<", ">"} & set(line)
        assert all(part.startswith(("amp;", "lt;", "gt;")) for part in line.split("&")[1:])
        assert not has_unseen(line)


def test_slack_says_what_is_left_and_what_differs() -> None:
    to = target("https://hooks.example/T/B/x", template="slack")
    left = sent(to, "cleanup.incomplete", remaining="Pod/prod/x: stuck")["text"]
    assert "*prod/shop: the cleanup is incomplete*" in left
    assert "left: Pod/prod/x: stuck" in left
    drifted = sent(to, "drift.began", taskId=None, reason="", objects=["Service/prod/web: missing"])["text"]
    assert "• Service/prod/web: missing" in drifted
    assert f"<{PUBLIC}/#/applications/{DATA['appId']}|details>" in drifted


@given(TEXT)
def test_a_template_of_ones_own_is_filled_in_and_stays_json(reason: str) -> None:
    body = {"text": "{title}: {reason}", "more": [{"who": "{user}", "n": 3, "brace": "{{{status}}}"}]}
    found = sent(target("https://x.example", template="json", body=body), reason=reason)
    assert found["text"].startswith("prod/shop: failed: ")
    assert not has_unseen(found["text"])
    assert found["more"] == [{"who": "ada", "n": 3, "brace": "{failed}"}]


def test_each_field_of_a_template_is_there_for_each_kind() -> None:
    for kind in KINDS:
        assert all(isinstance(value, str) for value in fields_of(event(kind), PUBLIC).values())


def test_a_signature_is_one_that_the_standard_s_library_takes() -> None:
    old, new = ("whsec_" + base64.b64encode(secrets.token_bytes(size)).decode() for size in (24, 64))
    body = request_of(target("https://x.example"), event(), PUBLIC).body
    now = int(datetime.now(UTC).timestamp())
    headers = signed([key_of(new), key_of(old)], "msg_1", now, body)
    for secret in (old, new):
        assert Webhook(secret).verify(body, headers) == json.loads(body)
    with pytest.raises(Exception, match="No matching signature"):
        Webhook(old).verify(body + b" ", headers)
    with pytest.raises(Exception, match="No matching signature"):
        Webhook(old).verify(body, {**headers, "webhook-id": "msg_2"})


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_!!!", "c2VjcmV0", "whsec_" + base64.b64encode(b"x").decode()])
def test_a_secret_that_is_none_is_refused_and_not_repeated(secret: str) -> None:
    with pytest.raises(BadSecret) as refused:
        key_of(secret)
    assert len(secret) < 7 or secret.removeprefix("whsec_") not in str(refused.value)


STATES = [
    ("task.created", "pending", "running"),
    ("task.completed", "success", "success"),
    ("task.failed", "failure", "failed"),
    ("task.timeout", "failure", "failed"),
    ("task.cancelled", "error", "canceled"),
]


@pytest.mark.parametrize(("kind", "github", "gitlab"), STATES)
def test_the_status_of_a_commit(kind: str, github: str, gitlab: str) -> None:
    of_github = target("https://api.github.example", template="github-status", token="t0ken")
    request = status_of(of_github, event(kind), PUBLIC, "t0ken")
    assert request.path == f"/repos/octo/shop/statuses/{'a' * 40}"
    assert request.headers["authorization"] == "Bearer t0ken"
    body = json.loads(request.body)
    assert (body["state"], body["context"]) == (github, "kubemin/shop")
    assert body["target_url"] == f"{PUBLIC}/#/tasks/{DATA['taskId']}"
    assert len(body["description"]) <= 140
    of_gitlab = target("https://gitlab.example/api/v4", template="gitlab-status", token="t0ken")
    request = status_of(of_gitlab, event(kind), PUBLIC, "t0ken")
    assert request.path == f"/projects/octo%2Fshop/statuses/{'a' * 40}"
    assert request.headers["private-token"] == "t0ken"
    assert json.loads(request.body)["state"] == gitlab
