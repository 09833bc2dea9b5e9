"""POST: what the server fills in, what it ignores, and what it refuses with which status."""

from typing import Any

import pytest

from tests.manifests import account, configmap, deployment, ingress, job, pvc, role, secret, service, statefulset

from .kube import Json, Kube, meta

OBJECTS: dict[str, Json] = {
    "configmaps": configmap(),
    "secrets": secret(),
    "services": service(),
    "persistentvolumeclaims": pvc(),
    "serviceaccounts": account(),
    "deployments": deployment(),
    "statefulsets": statefulset(),
    "jobs": job(suspend=True),
    "ingresses": ingress(),
    "roles": role(),
}
COUNTED = {"deployments", "statefulsets", "jobs", "ingresses"}
kinds = pytest.mark.parametrize("plural", OBJECTS)


@kinds
async def test_a_new_object_gets_identity_and_version(kube: Kube, plural: str) -> None:
    made = await kube.make(plural, OBJECTS[plural])
    assert (made["kind"], made["apiVersion"]) == (OBJECTS[plural]["kind"], OBJECTS[plural]["apiVersion"])
    assert len(meta(made)["uid"]) == 36
    assert meta(made)["creationTimestamp"].endswith("Z")
    assert int(meta(made)["resourceVersion"]) > 0
    assert meta(made)["namespace"] == kube.namespace
    assert meta(made).get("generation") == (1 if plural in COUNTED else None)
    assert "selfLink" not in meta(made)
    if plural not in {"persistentvolumeclaims", "serviceaccounts"}:  # controllers write to these at once
        found = await kube.read(plural, meta(made)["name"])
        assert {**found, "status": None} | {"metadata": None} == {**made, "status": None} | {"metadata": None}


@kinds
async def test_a_second_post_of_the_name_is_a_conflict(kube: Kube, plural: str) -> None:
    await kube.make(plural, OBJECTS[plural])
    name = OBJECTS[plural]["metadata"]["name"]
    refusal = (await kube.post(plural, OBJECTS[plural])).refused(409, "AlreadyExists", f'"{name}" already exists')
    assert (refusal["details"]["name"], refusal["details"]["kind"]) == (name, plural)


async def test_identity_that_the_client_sends_is_ignored(kube: Kube) -> None:
    sent = deployment()
    sent["metadata"] |= {
        "uid": "00000000-0000-0000-0000-000000000000",
        "creationTimestamp": "2001-01-01T00:00:00Z",
        "generation": 7,
        "resourceVersion": "0",
        "deletionTimestamp": "2001-01-01T00:00:00Z",
        "selfLink": "/x",
    }
    sent["status"] = {"replicas": 9}
    made = await kube.make("deployments", sent)
    assert meta(made)["uid"] != sent["metadata"]["uid"]
    assert meta(made)["creationTimestamp"] > "2020"
    assert meta(made)["generation"] == 1
    assert "deletionTimestamp" not in meta(made)
    assert made["status"] == {}


async def test_the_generation_of_an_uncounted_kind_is_taken_as_given(kube: Kube) -> None:
    made = await kube.make("configmaps", configmap(generation=7))
    assert meta(made)["generation"] == 7


async def test_a_resource_version_is_refused_with_a_500(kube: Kube) -> None:
    refusal = await kube.post("configmaps", configmap(resourceVersion="5"))
    assert refusal.code == 500
    assert "resourceVersion should not be set on objects to be created" in refusal.body["message"]


async def test_generate_name(kube: Kube) -> None:
    sent = {**configmap(), "metadata": {"generateName": "web-"}}
    first, second = await kube.make("configmaps", sent), await kube.make("configmaps", sent)
    assert meta(first)["generateName"] == "web-"
    assert meta(first)["name"].startswith("web-")
    assert len(meta(first)["name"]) == len("web-") + 5
    assert meta(first)["name"] != meta(second)["name"]


async def test_an_absent_namespace_is_a_404(kube: Kube) -> None:
    refusal = await kube.post("configmaps", configmap(), namespace="kubemin-not-there")
    body = refusal.refused(404, "NotFound", 'namespaces "kubemin-not-there" not found')
    assert body["details"] == {"name": "kubemin-not-there", "kind": "namespaces"}


@pytest.mark.parametrize(
    ("change", "code", "reason", "message"),
    [
        ({"metadata": {"name": "web", "namespace": "elsewhere"}}, 400, "BadRequest", "does not match the namespace"),
        ({"kind": "Secret"}, 400, "BadRequest", "cannot be handled as a ConfigMap"),
        ({"apiVersion": "v2"}, 400, "BadRequest", ""),
        ({"metadata": {}}, 422, "Invalid", "name or generateName is required"),
        ({"metadata": {"name": "Web_1"}}, 422, "Invalid", "metadata.name: Invalid value"),
        ({"metadata": {"name": "web", "labels": {"a": "b c"}}}, 422, "Invalid", "metadata.labels"),
        ({"metadata": {"name": "web", "labels": {"a": 1}}}, 400, "BadRequest", ""),
        ({"metadata": {"name": "web", "finalizers": ["not a name"]}}, 422, "Invalid", "metadata.finalizers"),
        ({"metadata": {"name": "web", "annotations": {"a": "x" * 300_000}}}, 422, "Invalid", "metadata.annotations"),
        ({"data": {"a/b": "1"}}, 422, "Invalid", "data[a/b]"),
        ({"data": {"a": 1}}, 400, "BadRequest", ""),
        ({"data": "text"}, 400, "BadRequest", ""),
    ],
)
async def test_a_malformed_object_is_refused(kube: Kube, change: Json, code: int, reason: str, message: str) -> None:
    (await kube.post("configmaps", configmap() | change)).refused(code, reason, message)


async def test_an_invalid_object_names_its_fields(kube: Kube) -> None:
    sent = deployment(image="")
    sent["spec"]["replicas"] = -1
    sent["spec"]["selector"]["matchLabels"] = {"app": "other"}
    refusal = await kube.post("deployments", sent)
    body = refusal.refused(422, "Invalid", 'Deployment.apps "web" is invalid')
    assert (body["details"]["name"], body["details"]["group"], body["details"]["kind"]) == ("web", "apps", "Deployment")
    assert refusal.causes() == {
        ("FieldValueInvalid", "spec.replicas"),
        ("FieldValueRequired", "spec.template.spec.containers[0].image"),
        ("FieldValueInvalid", "spec.template.metadata.labels"),
    }


@pytest.mark.parametrize(
    ("body", "content_type", "code", "reason"),
    [
        (b"{", "application/json", 400, "BadRequest"),
        (b"[]", "application/json", 400, "BadRequest"),
        (b"{}", "application/json", 422, "Invalid"),
        (b"{}", "text/plain", 415, "UnsupportedMediaType"),
        (
            b'{"apiVersion":"v1","kind":"ConfigMap","data":{"a":"' + b"x" * 3_200_000 + b'"}}',
            "application/json",
            413,
            "RequestEntityTooLarge",
        ),
    ],
    ids=["cut off", "a list", "empty", "text", "too large"],
)
async def test_a_body_that_is_no_object_is_refused(
    kube: Kube, body: bytes, content_type: str, code: int, reason: str
) -> None:
    refusal = await kube.call("POST", kube.path("configmaps"), body, content_type=content_type)
    refusal.refused(code, reason)


async def test_yaml_is_understood(kube: Kube) -> None:
    text = b"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: web\ndata:\n  a: one\n"
    made = (await kube.call("POST", kube.path("configmaps"), text, content_type="application/yaml")).ok(201)
    assert made["data"] == {"a": "one"}


async def test_an_unknown_field_is_dropped_with_a_warning_or_refused_when_strict(kube: Kube) -> None:
    sent = deployment()
    sent["spec"]["bogus"] = True
    refusal = await kube.post("deployments", sent, fieldValidation="Strict")
    refusal.refused(400, "BadRequest", 'strict decoding error: unknown field "spec.bogus"')
    reply = await kube.post("deployments", sent)
    assert "bogus" not in reply.ok(201)["spec"]
    assert 'unknown field "spec.bogus"' in reply.headers["warning"].replace("\\", "")


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [
        ("GET", "/apis/nowhere.test/v1/widgets", 404),
        ("GET", "/api/v1/widgets", 404),
        ("PUT", "{configmaps}", 405),
        ("POST", "{configmaps}/web", 405),
        ("POST", "/api/v1/configmaps", 405),
    ],
)
async def test_paths_and_methods_that_are_not_served(kube: Kube, method: str, path: str, code: int) -> None:
    body = configmap() if method != "GET" else None
    assert (await kube.call(method, path.format(configmaps=kube.path("configmaps")), body)).code == code


@kinds
async def test_an_absent_object_is_a_404_that_names_it(kube: Kube, plural: str) -> None:
    refusal = await kube.get(plural, "nowhere")
    body = refusal.refused(404, "NotFound", f'{plural}{_group(plural)} "nowhere" not found')
    assert (body["details"]["name"], body["details"]["kind"]) == ("nowhere", plural)


async def test_a_dry_run_answers_as_the_write_would_and_leaves_nothing(kube: Kube) -> None:
    made = (await kube.post("deployments", deployment(), dryRun="All")).ok(201)
    assert meta(made)["uid"]
    assert meta(made)["generation"] == 1
    assert made["spec"]["strategy"]["type"] == "RollingUpdate"
    (await kube.get("deployments", "web")).refused(404, "NotFound")
    bad: dict[str, Any] = configmap("Bad_Name")
    (await kube.post("configmaps", bad, dryRun="All")).refused(422, "Invalid")
    await kube.make("configmaps", configmap())
    (await kube.post("configmaps", configmap(), dryRun="All")).refused(409, "AlreadyExists")
    assert (await kube.post("configmaps", configmap("b"), dryRun="Some")).code in {400, 422}


def _group(plural: str) -> str:
    groups = {"deployments": ".apps", "statefulsets": ".apps", "jobs": ".batch", "ingresses": ".networking.k8s.io"}
    return {**groups, "roles": ".rbac.authorization.k8s.io"}.get(plural, "")
