"""What reaches beyond an application: others' namespaces, cloud identities, the configuration of Ingress controllers.

It is refused unless a setting (`kubemin.spec.limits`) names it.
"""

import re
from collections.abc import Iterator

from kubemin.spec.characters import has_unseen
from kubemin.spec.issues import Issue, IssueCode
from kubemin.spec.limits import Limits, listed

CLUSTER_ROLES = frozenset({"cluster-admin", "admin", "edit", "view"})
"""ClusterRoles of Kubernetes. The names of its others hold a colon, which no name here may."""

PLATFORM_NAMES = frozenset({"kubemin", "kubemin-grants", "kubemin-more", "kubemin-namespaces"})
"""KubeMin's own account, roles and bindings, as `deploy/rbac.yaml` names them."""

IDENTITIES = (
    "eks.amazonaws.com/*,iam.amazonaws.com/*,*/role-arn"  # AWS: IRSA, kube2iam and kiam, and what follows them
    ",iam.gke.io/*"  # Google: Workload Identity
    ",azure.workload.identity/*,aadpodidbinding"  # Azure: Workload Identity, and the older pod identity
    ",pod-identity.alibabacloud.com/*"
    ",vault.hashicorp.com/*,vault.security.banzaicloud.io/*"
)
"""Annotations and labels by which a Pod or its account gets rights of a cloud or of a store of secrets."""

AGGREGATION = "rbac.authorization.k8s.io/*"
"""Labels by which Kubernetes adds the rules of a ClusterRole to another one, ``admin`` say."""

CONFIGURATION = (
    "*snippet*"  # ingress-nginx (all that it calls critical), NGINX Inc., HAProxy Technologies
    ",haproxy-ingress.github.io/config-*,ingress.kubernetes.io/config-*"
    ",getambassador.io/config"  # Emissary: whole resources, for any host
)
"""Annotations that an Ingress controller copies into its configuration as they are."""

FILE_CONTROLLERS = (
    "nginx.ingress.kubernetes.io/*,nginx.org/*,nginx.com/*"
    ",haproxy.org/*,ingress.kubernetes.io/*,haproxy-ingress.github.io/*"
)
"""Annotations whose values become words of a configuration file: what ends a word there must not be in them."""

_REFERENCES = "*secret,*secrets,*configmap,*/server-ca,*/server-crt,*/client-ca,*/client-crt"
"""Annotations whose value may be ``<namespace>/<name>``."""

_TRAEFIK = "@kubernetescrd"
"""Ends a reference ``<namespace>-<name>`` of Traefik."""

_ENDS_A_WORD = re.compile(r"[;{}]")


def check_namespace(namespace: str, limits: Limits, path: str) -> Iterator[Issue]:
    """A namespace to deploy to is none that belongs to the platform."""
    if limits.is_reserved(namespace) and not listed(namespace, limits.allow_namespaces):
        message = f'The namespace "{namespace}" is reserved on this server; KUBEMIN_ALLOW_NAMESPACES does not allow it.'
        yield Issue(path, IssueCode.NOT_ALLOWED, message)


def why_identity_refused(key: str) -> str | None:
    """Why an annotation of a Pod is refused, to follow its key; None if it is harmless."""
    # who reads it may not care about upper and lower case
    return "gives Pods an identity outside of the cluster" if listed(key.lower(), IDENTITIES) else None


def why_label_refused(key: str) -> str | None:
    """Why a label is refused, to follow its key; None if it is harmless."""
    aggregates = listed(key.lower(), AGGREGATION)
    return why_identity_refused(key) or ("adds rules to the roles of others" if aggregates else None)


def why_annotation_refused(key: str, value: str, namespace: str) -> str | None:
    """Why an annotation of an object in ``namespace`` is refused, to follow its key; None if it is harmless."""
    if (why := why_identity_refused(key)) is not None:
        return why
    key = key.lower()
    if listed(key, CONFIGURATION):
        return "is copied into the configuration of the Ingress controller, which all applications share"
    if has_unseen(value):
        return "has a value with line ends or control characters"
    if listed(key, FILE_CONTROLLERS) and _ENDS_A_WORD.search(value):
        return 'has a value with ";", "{" or "}", which could end a line in the configuration of the Ingress controller'
    return "names something of another namespace" if _names_another(key, value, namespace) else None


def _names_another(key: str, value: str, namespace: str) -> bool:
    for part in (part.strip() for part in value.split(",")):
        if part.endswith(_TRAEFIK) and not part.startswith(f"{namespace}-"):
            return True
        other, slash, _ = part.partition("/")
        if slash and other not in ("", namespace) and listed(key, _REFERENCES):
            return True
    return False
