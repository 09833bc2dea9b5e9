"""The bundles: those of `examples/bundles`, and the metrics stack; who acts on their custom resources."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

from kubemin.spec.limits import Limits
from kubemin.spec.objects import Manifest
from kubesim import Operator
from tests.bundles.metrics import metrics_stack

FOLDER = Path(__file__).parents[2] / "examples" / "bundles"

LIMITS = Limits(
    allow_cluster_kinds="*",
    allow_any_rights=True,
    allow_annotations="*",
    allow_host_path=True,
    allow_privileged="hostPort",
)
"""What `examples/bundles/README.md` says that a server has to allow."""


@dataclass(frozen=True)
class Bundle:
    """Manifests as a chart renders them. ``dropped`` is the kind and name of what its next version no longer has."""

    name: str
    dropped: tuple[str, str]
    operators: tuple[Operator, ...] = ()

    @property
    def manifests(self) -> list[Manifest]:
        """Its objects, each on its own."""
        return [json.loads(text) for text in _texts(self.name)]

    @property
    def changed(self) -> list[Manifest]:
        """Its next version: other images, another word in settings and custom resources, one object less.

        The spec of a Job never changes.
        """
        kept = [one for one in self.manifests if (one["kind"], one["metadata"]["name"]) != self.dropped]
        assert len(kept) == len(self.manifests) - 1, f"{self.name} has no {self.dropped}"
        return [one if one["kind"] == "Job" else _next(one) for one in kept]


def component(name: str, manifests: Sequence[Manifest]) -> Manifest:
    """The component that brings the manifests."""
    return {"name": name, "type": "manifests", "properties": {"manifests": list(manifests)}}


def _next(one: Manifest) -> Manifest:
    found: Manifest = json.loads(json.dumps(one).replace(":1.0", ":1.1").replace("info", "debug"))
    return found


@cache
def _texts(name: str) -> tuple[str, ...]:
    if name == "metrics-stack":
        return tuple(map(json.dumps, metrics_stack()))
    documents = yaml.safe_load_all((FOLDER / f"{name}.yaml").read_text())
    return tuple(json.dumps(one) for document in documents for one in document.get("items", [document]))


def _database(cluster: Manifest) -> Iterator[Manifest]:
    """What the operator makes of a database. Who owns a StatefulSet's claims is nobody, so it makes Pods otherwise."""
    name = cluster["metadata"]["name"]
    labels = {"db.example.com/cluster": name}
    volume = {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": cluster["spec"]["storage"]["size"]}},
    }
    pods = {
        "containers": [{"name": "db", "image": cluster["spec"]["image"]}],
        "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": f"{name}-1"}}],
    }
    metadata = {"name": name, "labels": labels}
    yield {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": f"{name}-superuser"}, "stringData": {"a": "b"}}
    yield {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": metadata,
        "spec": {"selector": labels, "ports": [{"port": 5432}]},
    }
    yield {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": f"{name}-1"}, "spec": volume}
    yield {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": metadata,
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": pods},
        },
    }


def _certificate(certificate: Manifest) -> Iterator[Manifest]:
    name = certificate["spec"]["secretName"]
    yield {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": {"tls.crt": "a"}}


def _servers(server: Manifest) -> Iterator[Manifest]:
    labels = {"server": server["metadata"]["name"]}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "server", "image": "metrics:1.0"}]}}
    spec = {"selector": {"matchLabels": labels}, "template": template, "replicas": server["spec"]["replicas"]}
    metadata = {"name": f"server-{server['metadata']['name']}"}
    yield {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec}


def _acts(
    resource: str,
    plural: str,
    workload: str,
    children: Callable[[Manifest], Iterator[Manifest]] | None = None,
) -> Operator:
    return Operator(
        resource, children=children, finalizer=f"{resource}/finalizer", runs_as=(plural, "default", workload)
    )


_DELIVERY = ("statefulsets", "delivery-controller")
BUNDLES: Mapping[str, Bundle] = {
    bundle.name: bundle
    for bundle in (
        Bundle(
            "database-operator",
            ("ConfigMap", "db-operator-queries"),
            (_acts("clusters.db.example.com", "deployments", "db-operator", _database),),
        ),
        Bundle("ingress-controller", ("ConfigMap", "ingress-tcp")),
        Bundle("service-with-hooks", ("CronJob", "booking-expire")),
        Bundle("message-broker", ("Ingress", "broker-management")),
        Bundle("ci-runner", ("NetworkPolicy", "jobs")),
        Bundle(
            "certificate-manager",
            ("ClusterIssuer", "self-signed"),
            (
                _acts("certificates.certs.example.com", "deployments", "certs", _certificate),
                _acts("clusterissuers.certs.example.com", "deployments", "certs"),
            ),
        ),
        Bundle("log-collector", ("CronJob", "logs-compact")),
        Bundle(
            "delivery-controller",
            ("Delivery", "cart"),
            (
                _acts("deliveries.delivery.example.com", *_DELIVERY),
                _acts("repositories.delivery.example.com", *_DELIVERY),
            ),
        ),
        Bundle("web-shop", ("PodDisruptionBudget", "api")),
        Bundle(
            "metrics-stack",
            ("ConfigMap", "dashboard-00"),
            (_acts("servers.metrics.example.com", "deployments", "metrics-operator", _servers),),
        ),
    )
}
"""By name."""
