"""Pod templates: what the types that run containers have in common."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kubemin.render.context import Context
from kubemin.render.pod_fields import pod_fields
from kubemin.spec.container_fields import ContainerFields
from kubemin.spec.objects import Manifest


@dataclass(slots=True)
class Pod:
    """A Pod in the making, and what its traits make beside it."""

    container: Manifest
    """The component's own container."""
    init_containers: list[Manifest] = field(default_factory=list)
    sidecars: list[Manifest] = field(default_factory=list)
    volumes: dict[str, Manifest] = field(default_factory=dict)
    """By name. A volume that comes from a claim template is here too, and None of the Pod's."""
    claim_templates: list[Manifest] = field(default_factory=list)
    service_account: str | None = None
    objects: list[Manifest] = field(default_factory=list)
    """Further objects: claims, service accounts, roles, Ingresses."""
    claims: dict[str, Manifest] = field(default_factory=dict)
    """By name: volume claims that are used as they are, and made where there is none."""

    def template(self, context: Context, **spec: Any) -> Manifest:
        """The Pod template. ``spec`` adds to the Pod's own, and what the component says of its Pods wins."""
        templates = {template["metadata"]["name"] for template in self.claim_templates}
        volumes = [volume for name, volume in self.volumes.items() if name not in templates]
        body: Manifest = {}
        if self.service_account:
            body["serviceAccountName"] = self.service_account
        if self.init_containers:
            body["initContainers"] = self.init_containers
        body["containers"] = [self.container, *self.sidecars]
        if volumes:
            body["volumes"] = volumes
        metadata: Manifest = {"labels": context.pod_labels()}
        given = context.component.properties.pod.annotations or {}
        if annotations := {**dict(sorted(given.items())), **context.pod_annotations(body), **context.sensitive()}:
            metadata["annotations"] = annotations
        return {"metadata": metadata, "spec": {**body, **spec, **pod_fields(context)}}


def container(
    name: str,
    image: str,
    fields: ContainerFields,
    *,
    command: Sequence[str] = (),
    env: Mapping[str, str] | None = None,
    ports: Sequence[Manifest] = (),
) -> Manifest:
    """A container; traits add to it. An empty value is left out, as the API server would drop it anyway."""
    policy = fields.image_pull_policy or "IfNotPresent"
    result: Manifest = {"name": name, "image": image, "imagePullPolicy": policy}
    if command:
        result["command"] = list(command)
    if fields.args:
        result["args"] = list(fields.args)
    if env:
        result["env"] = [variable(key, value) for key, value in sorted(env.items())]
    if ports:
        result["ports"] = list(ports)
    return {**result, **fields.passed_on()}


def variable(name: str, value: str) -> Manifest:
    """An environment variable with a fixed value."""
    return {"name": name, "value": value} if value else {"name": name}
