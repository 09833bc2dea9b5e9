"""One component's surroundings while it is rendered: ids, names, labels."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kubemin.render.config_digest import digest_of_read
from kubemin.render.model import Fetch, Rendered
from kubemin.spec import labels
from kubemin.spec.application import Application
from kubemin.spec.component import Component
from kubemin.spec.component_secrets import variables_of
from kubemin.spec.component_types import RUNS
from kubemin.spec.ids import component_id
from kubemin.spec.kinds import kind_of
from kubemin.spec.names import LABEL_LENGTH, object_name, shorten
from kubemin.spec.objects import Manifest, ObjectRef
from kubemin.spec.sensitive import marks_for
from kubemin.spec.states import ShareStrategy


@dataclass(frozen=True, slots=True)
class Context:
    """Where a component stands. Everything that names or labels an object comes from here."""

    application: Application
    component: Component
    config_key: str
    config_digests: Mapping[ObjectRef, str]
    restarts: Mapping[str, str]
    recorded: Mapping[str, str] | None = None

    @property
    def app_id(self) -> str:
        """Id of the application."""
        return self.application.app_id

    @property
    def main(self) -> str:
        """What the component's objects are called, before it is cut."""
        return self.application.main_name(self.component)

    def name(self, kind: str, *more: str) -> str:
        """Name of an object of the component."""
        return object_name(kind, self.main, *more)

    def referred(self, kind: str, name: str) -> str:
        """The object that a reference means: that of the component of this name, else one outside the application."""
        return self.application.referred(kind, self.namespace, name) or name

    @property
    def namespace(self) -> str:
        """The component's namespace."""
        return self.application.namespace_of(self.component)

    @property
    def share(self) -> ShareStrategy | None:
        """The component's share strategy."""
        share = self.component.traits.share
        return None if share is None else ShareStrategy(share.strategy)

    def selector(self) -> dict[str, str]:
        """Picks the component's own Pods. Selectors cannot change, so only what never changes is in it."""
        return {labels.NAME: self.component.name, labels.APP_ID: self.app_id}

    def all_pods(self, component: str = "") -> dict[str, str]:
        """Picks all Pods of a component, its own by default: those that are there beside the others too."""
        number = component_id(self.app_id, component or self.component.name)
        return {labels.APP_ID: self.app_id, labels.COMPONENT_ID: str(number)}

    def stable_labels(self) -> dict[str, str]:
        """Labels that no later version of the component changes, for where Kubernetes allows no change."""
        return dict(
            sorted(
                {
                    **self.selector(),
                    labels.MANAGED_BY: labels.MANAGER,
                    labels.CLI: shorten(f"{self.app_id}-{self.component.name}", LABEL_LENGTH),
                    labels.CLI_APP_ID: self.app_id,
                    labels.CLI_COMPONENT_NAME: self.component.name,
                }.items()
            )
        )

    def pod_labels(self) -> dict[str, str]:
        """Labels of the component's Pods: the user's, and KubeMin's, which win."""
        number = str(component_id(self.app_id, self.component.name))
        own = {
            labels.PART_OF: self.application.name,
            labels.COMPONENT_ID: number,
            labels.CLI_COMPONENT_ID: number,
        }
        return dict(sorted({**self.component.properties.labels, **self.stable_labels(), **own}.items()))

    def object_labels(self, more: Mapping[str, str] | None = None) -> dict[str, str]:
        """Labels of an object; ``more`` are further ones of the user's."""
        share = {labels.SHARE_NAME: self.namespace, labels.SHARE_STRATEGY: self.share.value} if self.share else {}
        return dict(sorted({**(more or {}), **self.pod_labels(), **share}.items()))

    def manifest(
        self,
        kind: str,
        name: str,
        body: Mapping[str, Any],
        *,
        namespace: str | None = None,
        more_labels: Mapping[str, str] | None = None,
        annotations: Mapping[str, str] | None = None,
        api_version: str | None = None,
    ) -> Manifest:
        """An object of the component; ``body`` is what stands beside ``metadata``.

        ``api_version`` of a kind of which only the API server knows how it is served.
        """
        known = kind_of(kind)
        metadata: dict[str, Any] = {"name": name}
        if known.namespaced:
            metadata["namespace"] = namespace or self.namespace
        metadata["labels"] = self.object_labels(more_labels)
        if annotations:
            metadata["annotations"] = dict(sorted(annotations.items()))
        return {"apiVersion": api_version or known.api_version, "kind": known.kind, "metadata": metadata, **body}

    def pod_annotations(self, pod: Manifest) -> dict[str, str]:
        """Annotations of Pods with this spec: when these change, the Pods are replaced.

        They tell of the configuration that the Pods read, and when they were to start again. Those of Jobs have none: a
        Job that is done would run again because of a value that another component reads too, and each run of a CronJob
        reads them anew.
        """
        if self.component.type in RUNS:
            return {}
        restarted = self.restarts.get(self.component.name)
        asked = {labels.RESTARTED_AT: restarted} if restarted else {}
        if self.component.properties.restart_on_config_change is False:
            return asked
        if self.recorded is None:
            digest = digest_of_read(pod, self.namespace, self.config_digests, self.config_key)
        else:
            digest = self.recorded.get(self.component.name)
        return asked if digest is None else {labels.CONFIG_DIGEST: digest, **asked}

    def sensitive(self) -> Mapping[str, str]:
        """The annotation of Pods that says which variables hold secrets, where somebody has said so."""
        return marks_for((env.name, env.sensitive) for env in variables_of(self.component.traits))

    def rendered(self, manifest: Manifest, *, fetch: Fetch | None = None, if_absent: bool = False) -> Rendered:
        """A manifest of the component, ready to be planned."""
        return Rendered(manifest, self.component.name, fetch, if_absent, self.share)
