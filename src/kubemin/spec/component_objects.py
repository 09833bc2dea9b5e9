"""The Kubernetes objects that a component will make."""

from collections.abc import Iterator

from kubemin.spec import names
from kubemin.spec.check_context import CheckContext, Made
from kubemin.spec.component import Component
from kubemin.spec.component_types import BESIDE, MAIN_KINDS, MANIFESTS, STORE, WEBSERVICE, WORKLOADS
from kubemin.spec.external import EXTERNAL_SECRET, target_name
from kubemin.spec.manifests import made_by_manifests
from kubemin.spec.objects import ObjectRef
from kubemin.spec.states import Way
from kubemin.spec.traits import TRAITS
from kubemin.spec.traits.container import given


def made_by(component: Component, context: CheckContext, path: str) -> Iterator[Made]:
    """The Kubernetes objects that the component will make, with the fields that ask for them.

    A Job is named without the digest of its spec: of a component it is one all the same.
    """
    namespace, main = context.namespace, context.main
    if component.type == MANIFESTS:
        yield from made_by_manifests(component.properties.manifests, context, f"{path}.properties.manifests")
    if component.is_external:
        yield Made(ObjectRef(EXTERNAL_SECRET, namespace, names.object_name(EXTERNAL_SECRET, main)), path)
        yield Made(ObjectRef("Secret", namespace, target_name(main)), path)  # by the operator
    elif kind := MAIN_KINDS.get(component.type):
        yield Made(ObjectRef(kind, namespace, names.object_name(kind, main)), path)
    if component.has_service:
        yield Made(ObjectRef("Service", namespace, names.object_name("Service", main)), path)
        if component.type == STORE:
            yield Made(ObjectRef("Service", namespace, names.headless_name(main)), path)
    for ref in _beside(component, context):
        yield Made(ref, f"{path}.strategy")
    if component.type in WORKLOADS:
        claims: set[ObjectRef] = set()
        for trait, value, field in given(component.traits, TRAITS):
            for made in trait.made(value, context, f"{path}.traits.{field}"):
                # Containers of one Pod share their volumes: the second mention of a claim makes no second one.
                if made.ref.kind != "PersistentVolumeClaim" or made.ref not in claims:
                    claims.add(made.ref)
                    yield made


def _beside(component: Component, context: CheckContext) -> Iterator[ObjectRef]:
    """What is there beside the component's objects while its Pods are replaced."""
    strategy, namespace, main = component.strategy, context.namespace, context.main
    if strategy is None or component.type != WEBSERVICE or strategy.type not in BESIDE:
        return
    track = names.CANARY if strategy.type == Way.CANARY else names.GREEN
    made = [("Deployment", names.object_name("Deployment", main))]
    if ingresses := component.nginx_ingresses:
        made.append(("Service", names.object_name("Service", main)))
        made += [("Ingress", name) for ingress in ingresses for name in ingress.object_names(main)]
    for kind, name in made:
        yield ObjectRef(kind, namespace, names.beside_name(kind, name, track))
