"""``manifests``: objects as they stand, with the labels that say whose they are."""

import copy
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from kubemin.render.context import Context
from kubemin.render.model import Rendered
from kubemin.spec import labels
from kubemin.spec.manifests import flattened, namespace_of, pod_template, scopes
from kubemin.spec.objects import Manifest
from kubemin.spec.order import hooks_of


def render(context: Context) -> Iterator[Rendered]:
    """The objects. What the API server or KubeMin alone writes is left out, and nothing else of them changes."""
    defined = scopes(context.application.manifests)
    for _, one in flattened(context.component.properties.manifests, ""):
        rendered = context.rendered(_manifest(one, context, namespace_of(one, context.namespace, defined)))
        hooks = hooks_of(one)
        yield from (replace(rendered, hook=hook) for hook in hooks) if hooks else (rendered,)


def _manifest(one: Manifest, context: Context, namespace: str) -> Manifest:
    made = copy.deepcopy({key: value for key, value in one.items() if key != "status"})
    given = made["metadata"]
    meta = {"name": given["name"]}
    if namespace:
        meta["namespace"] = namespace
    own = {key: value for key, value in (given.get("labels") or {}).items() if not _is_mark(key)}
    meta["labels"] = dict(sorted({**own, **context.object_labels()}.items()))
    if annotations := {key: value for key, value in (given.get("annotations") or {}).items() if not _is_mark(key)}:
        meta["annotations"] = dict(sorted(annotations.items()))
    made["metadata"] = {**meta, **{key: given[key] for key in ("finalizers", "ownerReferences") if given.get(key)}}
    if (template := pod_template(made)) is not None:
        _mark_pods(made, template, context)
        _mark_claims(made, context)
    return made


def _is_mark(key: str) -> bool:
    """Whether a label or annotation says whose an object is, or who wrote it: a copied one would say it of another."""
    return key in labels.LABELS or (key.startswith(labels.ANNOTATIONS) and key not in labels.SAID_BY_AUTHORS)


def _mark_pods(made: Manifest, template: Manifest, context: Context) -> None:
    """The watches find Pods by these labels. One by which the workload itself finds them stays as it is."""
    meta = template.get("metadata") or {}
    given = (meta.get("labels") or {}, meta.get("annotations") or {}) if isinstance(meta, dict) else None
    if given is None or not all(isinstance(one, dict) for one in given):
        return  # no API server takes it, and it says best what is wrong
    fixed = set(_selected_keys(made["spec"].get("selector")))
    marks = {key: value for key, value in context.pod_labels().items() if key in _FIND and key not in fixed}
    template["metadata"] = {**meta, "labels": dict(sorted({**given[0], **marks}.items()))}
    if restarted := context.restarts.get(context.component.name):
        template["metadata"]["annotations"] = {**given[1], labels.RESTARTED_AT: restarted}


def _selected_keys(selector: Any) -> Iterator[str]:
    """The keys of the labels that a selector asks for."""
    if isinstance(selector, dict):
        if isinstance(found := selector.get("matchLabels"), dict):
            yield from found
        if isinstance(found := selector.get("matchExpressions"), list):
            yield from (one["key"] for one in found if isinstance(one, dict) and isinstance(one.get("key"), str))


def _mark_claims(made: Manifest, context: Context) -> None:
    """By these labels the volume claims of a StatefulSet are known as the application's when it is gone."""
    templates = made["spec"].get("volumeClaimTemplates")
    for template in templates if made["kind"] == "StatefulSet" and isinstance(templates, list) else ():
        meta = template.get("metadata") if isinstance(template, dict) else None
        if isinstance(meta, dict):
            marks = {key: value for key, value in context.stable_labels().items() if key in labels.OF_CLAIM_TEMPLATES}
            meta["labels"] = dict(sorted({**(meta.get("labels") or {}), **marks}.items()))


_FIND = frozenset({labels.MANAGED_BY, labels.APP_ID, labels.COMPONENT_ID, labels.CLI_COMPONENT_NAME})
