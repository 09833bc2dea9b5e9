"""What holds for every application."""

import json
from collections import Counter
from dataclasses import replace
from typing import Any

from hypothesis import given

from kubemin.plan import make_plan
from kubemin.render import Rendered, operator_secret, render
from kubemin.spec import labels
from kubemin.spec.application import Application, context_of, parse_application
from kubemin.spec.component_objects import made_by
from kubemin.spec.kinds import KINDS, kind_name, kind_of
from kubemin.spec.limits import Limits
from kubemin.spec.names import is_label_value, is_subdomain
from kubemin.spec.objects import Manifest, ObjectRef
from tests.spec.strategies import applications, labels_

FIXED = {
    labels.MANAGED_BY,
    labels.NAME,
    labels.PART_OF,
    labels.APP_ID,
    labels.COMPONENT_ID,
    labels.CLI,
    labels.CLI_APP_ID,
    labels.CLI_COMPONENT_ID,
    labels.CLI_COMPONENT_NAME,
}
WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob")


def rendered(application: Application) -> list[Rendered]:
    return render(application)


def template_of(item: Rendered) -> dict[str, Any]:
    spec = item.manifest["spec"]
    template: dict[str, Any] = (spec["jobTemplate"]["spec"] if "jobTemplate" in spec else spec)["template"]
    return template


def selectors(item: Rendered) -> list[dict[str, str]]:
    spec = item.manifest.get("spec", {})
    found = [
        spec.get("selector", {}).get("matchLabels"),
        spec.get("selector") if item.manifest["kind"] == "Service" else None,
    ]
    return [selector for selector in found if selector]


def containers(item: Rendered) -> list[dict[str, Any]]:
    pod = template_of(item)["spec"]
    return [*pod.get("initContainers", []), *pod["containers"]]


@given(applications())
def test_the_same_input_gives_the_same_bytes(application: Application) -> None:
    again = parse_application(json.loads(json.dumps(application.dump())))
    first = json.dumps([item.manifest for item in rendered(application)])
    assert json.dumps([item.manifest for item in rendered(again)]) == first


@given(applications())
def test_every_object_is_named_and_labelled(application: Application) -> None:
    for item in rendered(application):
        manifest = item.manifest
        kind = kind_of(kind_name(manifest))
        meta = manifest["metadata"]
        assert manifest["apiVersion"] == (kind.api_version_in("" if kind.name in KINDS else "v1"))
        assert is_subdomain(meta["name"])
        assert meta["namespace"] == application.namespace
        assert set(meta["labels"]) >= FIXED
        assert all(is_label_value(value) for value in meta["labels"].values())
        assert meta["labels"][labels.MANAGED_BY] == labels.MANAGER
        assert meta["labels"][labels.APP_ID] == application.app_id
        assert meta["labels"][labels.NAME] == item.component
        assert labels.TASK_ID not in meta["labels"]
        assert labels.WRITE_TOKEN not in meta.get("annotations", {})
        assert len(meta["name"]) <= 63 or kind.name in ("ServiceAccount", "Role", "RoleBinding")


@given(applications())
def test_no_two_objects_have_one_name(application: Application) -> None:
    """But for claims that are made where there are none: several components may use one."""
    counts = Counter(ObjectRef.of(item.manifest) for item in rendered(application) if not item.if_absent)
    assert set(counts.values()) <= {1}


@given(applications())
def test_the_spec_foresees_exactly_what_is_rendered(application: Application) -> None:
    """The check for clashes stands in `spec`, which knows nothing of `render`: here they are held together."""
    predict_apply = []
    for index, component in enumerate(application.component):
        scope = context_of(application, component, Limits(), {}, {})
        for made in made_by(component, scope, f"component[{index}]"):
            is_job = made.ref.kind == "Job"
            predict_apply.append(replace(made.ref, name=component.name) if is_job else made.ref)
    items = rendered(application)
    preview = [_unversioned(item) for item in items if not item.if_absent]
    preview += [secret for item in items if (secret := operator_secret(item.manifest)) is not None]
    assert Counter(predict_apply) == Counter(preview)


def _unversioned(item: Rendered) -> ObjectRef:
    """A Job's name tells its spec apart from that of a former one: of a component it is one all the same."""
    ref = ObjectRef.of(item.manifest)
    return replace(ref, name=item.component) if ref.kind == "Job" else ref


@given(labels_())
def test_a_job_that_differs_has_another_name(name: str) -> None:
    """Its spec cannot be changed."""

    def job(image: str, **more: Any) -> Manifest:
        application = parse_application(
            {"name": "shop", "component": [{"name": name, "type": "job", "image": image, **more}]}
        )
        return render(application)[0].manifest

    first, replicas, second = job("job:1"), job("job:1", replicas=3), job("job:2")
    assert first["spec"] == replicas["spec"]
    assert first["metadata"]["name"] == replicas["metadata"]["name"] != second["metadata"]["name"]


@given(applications())
def test_selectors_hold_only_what_never_changes(application: Application) -> None:
    """A later version may have other labels."""
    other = application.model_copy(
        update={
            "component": [
                component.model_copy(
                    update={"properties": component.properties.model_copy(update={"labels": {"new": "label"}})}
                )
                for component in application.component
            ],
        }
    )
    for before, after in zip(rendered(application), rendered(other), strict=True):
        assert selectors(before) == selectors(after)
        fixed = ("serviceName", "volumeClaimTemplates")
        for field in fixed:
            assert before.manifest.get("spec", {}).get(field) == after.manifest.get("spec", {}).get(field)


@given(applications())
def test_services_and_workloads_select_their_own_pods_only(application: Application) -> None:
    items = rendered(application)
    pods = {
        item.component: template_of(item)["metadata"]["labels"] for item in items if item.manifest["kind"] in WORKLOADS
    }
    for item in items:
        for selector in selectors(item):
            chosen = {name for name, pod in pods.items() if selector.items() <= pod.items()}
            assert chosen == {item.component}


@given(applications())
def test_pods_are_found_by_their_labels(application: Application) -> None:
    for item in rendered(application):
        if item.manifest["kind"] in WORKLOADS:
            assert set(template_of(item)["metadata"]["labels"]) >= FIXED


@given(applications())
def test_containers_fit_together(application: Application) -> None:
    for item in rendered(application):
        if item.manifest["kind"] not in WORKLOADS:
            continue
        pod = template_of(item)["spec"]
        volumes = [volume["name"] for volume in pod.get("volumes", [])]
        volumes += [claim["metadata"]["name"] for claim in item.manifest["spec"].get("volumeClaimTemplates", [])]
        assert len(volumes) == len(set(volumes))
        assert containers(item)[len(pod.get("initContainers", []))]["name"] == item.component
        assert len({container["name"] for container in containers(item)}) == len(containers(item))
        for container in containers(item):
            mounts = container.get("volumeMounts", [])
            assert {mount["name"] for mount in mounts} <= set(volumes)
            assert len({mount["mountPath"] for mount in mounts}) == len(mounts)
            variables = [variable["name"] for variable in container.get("env", [])]
            assert len(variables) == len(set(variables))
            assert all(len(port["name"]) <= 15 for port in container.get("ports", []))


@given(applications())
def test_the_variables_of_the_properties_are_sorted(application: Application) -> None:
    components = {component.name: component for component in application.component}
    for item in rendered(application):
        if item.manifest["kind"] in WORKLOADS:
            main = next(c for c in containers(item) if c["name"] == item.component)
            env = components[item.component].properties.env
            assert [variable["name"] for variable in main.get("env", [])][: len(env)] == sorted(env)


@given(applications())
def test_every_claim_that_is_mounted_is_made_for_good_or_if_there_is_none(application: Application) -> None:
    items = rendered(application)
    mounted = {
        ObjectRef("PersistentVolumeClaim", application.namespace, volume["persistentVolumeClaim"]["claimName"])
        for item in items
        if item.manifest["kind"] in WORKLOADS
        for volume in template_of(item)["spec"].get("volumes", [])
        if "persistentVolumeClaim" in volume
    }
    made = [item for item in items if item.manifest["kind"] == "PersistentVolumeClaim"]
    assert {ObjectRef.of(item.manifest) for item in made} == mounted
    assert all(item.manifest["kind"] == "PersistentVolumeClaim" for item in items if item.if_absent)
    planned = [job.ref for job in make_plan(application, items, application.steps()).jobs]
    assert len(planned) == len(set(planned))


@given(applications())
def test_secrets_are_only_in_secrets(application: Application) -> None:
    marked = application.model_copy(
        update={
            "component": [
                component.model_copy(
                    update={"properties": component.properties.model_copy(update={"secret": {"k": "hunter2"}})}
                )
                for component in application.component
            ]
        }
    )
    for item in rendered(marked):
        text = json.dumps(item.manifest)
        assert "hunter2" not in text
        assert ("aHVudGVyMg==" in text) == (item.manifest["kind"] == "Secret")


def test_regex_replace_is_another_word_for_regex() -> None:
    def ingress(word: str) -> Manifest:
        rewrite = {"type": word, "match": "/a/(.*)", "replacement": "/$1"}
        route = {"path": "/a", "backend": {"serviceName": "web"}, "rewrite": rewrite}
        part = {"name": "web", "type": "webservice", "image": "web:1", "properties": {"ports": [{"port": 80}]}}
        data = {"name": "shop", "component": [{**part, "traits": {"ingress": [{"routes": [route]}]}}]}
        return next(item.manifest for item in rendered(parse_application(data)) if item.manifest["kind"] == "Ingress")

    assert ingress("regexReplace") == ingress("regex")
