"""Which error each refusal means."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubemin.cluster import errors, requests
from kubemin.cluster.answers import ApiResponse, error_for, object_in
from kubemin.spec.objects import ObjectRef

REF = ObjectRef("ConfigMap", "shop", "web")
POST = requests.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "web", "namespace": "shop"}})
PUT = requests.replace({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "web", "namespace": "shop"}})
GET = requests.get(REF)
APPLY = requests.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "web", "namespace": "shop"}})
LOST = "request to convert CR to an invalid group/version: example.com/v1beta1"
UNFIT = "failed to create typed patch object (shop/web; /v1, Kind=ConfigMap): .spec: field not declared in schema"


def status(code: int, reason: str, message: str, details: dict[str, Any] | None = None) -> bytes:
    return json.dumps(
        {"kind": "Status", "status": "Failure", "code": code, "reason": reason, "message": message, "details": details}
    ).encode()


TABLE: list[tuple[requests.Request, int, str, str, dict[str, Any] | None, type[errors.ClusterError]]] = [
    (POST, 409, "AlreadyExists", 'configmaps "web" already exists', None, errors.AlreadyExists),
    (POST, 409, "AlreadyExists", 'object is being deleted: configmaps "web" already exists', None, errors.Terminating),
    (POST, 409, "Conflict", "the uid in the precondition", None, errors.Conflict),
    (PUT, 409, "Conflict", "the object has been modified", None, errors.Conflict),
    (PUT, 409, "AlreadyExists", "object is being deleted", None, errors.Conflict),
    (
        POST,
        403,
        "Forbidden",
        "because it is being terminated",
        {"causes": [{"reason": "NamespaceTerminating", "message": "…", "field": "metadata.namespace"}]},
        errors.NamespaceTerminating,
    ),
    (POST, 403, "Forbidden", "exceeded quota", None, errors.Forbidden),
    (POST, 401, "Unauthorized", "Unauthorized", None, errors.Unauthorized),
    (POST, 404, "NotFound", 'namespaces "shop" not found', None, errors.NotFound),
    (PUT, 422, "Invalid", "field is immutable", {"causes": [{"field": "data"}]}, errors.Invalid),
    (POST, 400, "BadRequest", "cannot be handled", None, errors.Invalid),
    (POST, 413, "RequestEntityTooLarge", "limit is 3145728", None, errors.Invalid),
    (POST, 405, "MethodNotAllowed", "not allowed", None, errors.Invalid),
    (GET, 410, "Expired", "too old resource version", None, errors.Expired),
    (GET, 500, "InternalError", "etcd is gone", None, errors.ServerError),
    (POST, 500, "InternalError", "etcd is gone", None, errors.Unanswered),
    (POST, 504, "Timeout", "request did not complete", None, errors.Unanswered),
    (APPLY, 500, "", UNFIT, None, errors.Unfit),
    (APPLY, 400, "BadRequest", UNFIT, None, errors.Unfit),
    (APPLY, 500, "", UNFIT.replace("patch object", "live object"), None, errors.Unfit),
    (APPLY, 500, "InternalError", f"etcd is gone: {UNFIT}", None, errors.Unanswered),
    (APPLY, 500, "", f"failed to x: {LOST}", None, errors.LostVersion),
    (PUT, 500, "", LOST, None, errors.Unanswered),
    (PUT, 500, "", UNFIT, None, errors.Unanswered),
]


@pytest.mark.parametrize(("request_", "code", "reason", "message", "details", "kind"), TABLE)
def test_a_refusal_is_told_by_its_type(
    request_: requests.Request,
    code: int,
    reason: str,
    message: str,
    details: dict[str, Any] | None,
    kind: type[errors.ClusterError],
) -> None:
    error = error_for(request_, code, {}, status(code, reason, message, details))
    assert type(error) is kind
    assert (error.status, error.reason) == (code, reason)
    assert error.causes == tuple((details or {}).get("causes", ()))
    assert error.message == str(error)
    assert str(error).startswith(f"Cannot {request_.verb} ConfigMap/shop/web: {message}")


@pytest.mark.parametrize(
    ("headers", "details", "seconds"),
    [
        ({"retry-after": "3"}, None, 3.0),
        ({}, {"retryAfterSeconds": 5}, 5.0),
        ({"retry-after": "Wed, 21 Oct 2026 07:28:00 GMT"}, None, 1.0),
        ({}, None, 1.0),
        ({"retry-after": "-1"}, None, 1.0),
    ],
)
def test_throttled_says_when_to_ask_again(
    headers: dict[str, str], details: dict[str, Any] | None, seconds: float
) -> None:
    error = error_for(POST, 429, headers, status(429, "TooManyRequests", "later", details))
    assert type(error) is errors.Throttled
    assert error.retry_after == seconds
    assert error.retryable


@given(st.sampled_from([POST, PUT, GET]), st.integers(300, 599), st.binary())
def test_whatever_the_answer_it_is_an_error_of_ours(request_: requests.Request, code: int, body: bytes) -> None:
    error = error_for(request_, code, {}, body)
    assert isinstance(error, errors.ClusterError)
    assert isinstance(error, errors.Unanswered) == (code >= 500 and request_.is_write)
    assert len(str(error)) < 1000


@given(st.sampled_from([POST, GET]), st.recursive(st.none() | st.integers() | st.text(), st.lists))
def test_a_fine_answer_that_is_no_object_is_not_taken_for_one(request_: requests.Request, body: object) -> None:
    expected = errors.Unanswered if request_.is_write else errors.ServerError
    with pytest.raises(expected):
        object_in(request_, ApiResponse(200, {}, json.dumps(body).encode()))


def test_a_refusal_may_be_about_another_object() -> None:
    details = {"name": "reader", "group": "rbac.authorization.k8s.io", "kind": "roles"}
    body = status(404, "NotFound", 'roles.rbac.authorization.k8s.io "reader" not found', details)
    assert error_for(POST, 404, {}, body).about == "roles/reader"
    assert error_for(POST, 404, {}, b"404 page not found").about == ""
