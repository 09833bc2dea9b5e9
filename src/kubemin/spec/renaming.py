"""Renaming a component, with everything in it that carries its name or refers to its siblings by theirs."""

from collections.abc import Collection, Mapping

from kubemin.spec.component import Component
from kubemin.spec.expressions import following
from kubemin.spec.names import LABEL_LENGTH, SUBDOMAIN_LENGTH, shorten
from kubemin.spec.pod_fields import PodFields
from kubemin.spec.traits.container import ContainerTraits
from kubemin.spec.traits.env_from import EnvFrom
from kubemin.spec.traits.envs import Env, KeyRef
from kubemin.spec.traits.ingress import Ingress, Route, Tls
from kubemin.spec.traits.network_policy import NetworkPolicy, Peer
from kubemin.spec.traits.rbac import Rbac
from kubemin.spec.traits.storage import CONFIG, SECRET, Storage


def renamed(component: Component, names: Mapping[str, str], prefix: str, accounts: Collection[str] = ()) -> Component:
    """A copy of ``component`` for another application.

    ``accounts``: the ServiceAccounts that it and its siblings name by themselves.

    ``names`` maps it and its siblings to their new names: references to them follow, others stay. What it names by
    itself (Ingresses, service accounts, roles, its main object) gets ``prefix``, so that two copies do not clash.
    """
    traits = component.traits
    update = {
        **_container(traits, names),
        "init": [
            init.model_copy(update={"traits": init.traits.model_copy(update=_container(init.traits, names))})
            for init in traits.init
        ],
        "sidecar": [
            sidecar.model_copy(update={"traits": sidecar.traits.model_copy(update=_container(sidecar.traits, names))})
            for sidecar in traits.sidecar
        ],
        "rbac": [_rbac(entry, names, prefix) for entry in traits.rbac],
        "ingress": [_ingress(ingress, names, prefix) for ingress in traits.ingress],
        "expose": traits.expose and traits.expose.renamed(names),
        "network_policy": traits.network_policy and _network_policy(traits.network_policy, names),
    }
    pod = _pod(component.properties.pod, names, prefix, accounts)
    properties = component.properties.model_copy(update={"pod": pod})
    given = {"object_name": _prefixed(component.object_name, prefix)} if component.object_name else {}
    changes = {
        "name": names.get(component.name, component.name),
        "properties": properties,
        "traits": traits.model_copy(update=update),
        **given,
    }
    return following(component.model_copy(update=changes), names)


def _prefixed(name: str, prefix: str) -> str:
    return shorten(f"{prefix}-{name}", LABEL_LENGTH)


def _container(traits: ContainerTraits, names: Mapping[str, str]) -> dict[str, object]:
    return {
        "storage": [_storage(storage, names) for storage in traits.storage],
        "env_from": [_env_from(source, names) for source in traits.env_from],
        "envs": [_env(env, names) for env in traits.envs],
    }


def _pod(pod: PodFields, names: Mapping[str, str], prefix: str, accounts: Collection[str]) -> PodFields:
    account = pod.service_account_name
    if account is not None:
        account = (
            shorten(f"{prefix}-{account}", SUBDOMAIN_LENGTH) if account in accounts else names.get(account, account)
        )
    secrets = pod.image_pull_secrets and [
        secret.model_copy(update={"name": names.get(secret.name, secret.name)}) for secret in pod.image_pull_secrets
    ]
    given = {"service_account_name": account, "image_pull_secrets": secrets}
    return pod.model_copy(update={field: value for field, value in given.items() if value is not None})


def _storage(storage: Storage, names: Mapping[str, str]) -> Storage:
    if storage.type in (CONFIG, SECRET):
        return storage.model_copy(update={"source_name": names.get(storage.source, storage.source)})
    return storage


def _env_from(source: EnvFrom, names: Mapping[str, str]) -> EnvFrom:
    return source.model_copy(update={"source_name": names.get(source.source_name, source.source_name)})


def _env(env: Env, names: Mapping[str, str]) -> Env:
    def follow(ref: KeyRef | None) -> KeyRef | None:
        return ref and ref.model_copy(update={"name": names.get(ref.name, ref.name)})

    source = env.value_from
    update = {"secret": follow(source.secret), "config": follow(source.config)}
    return env.model_copy(update={"value_from": source.model_copy(update=update)})


def _rbac(entry: Rbac, names: Mapping[str, str], prefix: str) -> Rbac:
    rules = [
        rule.model_copy(update={"resource_names": [names.get(name, name) for name in rule.resource_names]})
        for rule in entry.rules
    ]
    given = {"service_account": entry.service_account, "role_name": entry.role_name, "binding_name": entry.binding_name}
    own = {field: shorten(f"{prefix}-{name}", SUBDOMAIN_LENGTH) for field, name in given.items() if name}
    return entry.model_copy(update={"rules": rules, **own})


def _ingress(ingress: Ingress, names: Mapping[str, str], prefix: str) -> Ingress:
    def route(one: Route) -> Route:
        name = names.get(one.backend.service_name, one.backend.service_name)
        return one.model_copy(update={"backend": one.backend.model_copy(update={"service_name": name})})

    def tls(one: Tls) -> Tls:
        return one.model_copy(update={"secret_name": names.get(one.secret_name or "", one.secret_name)})

    return ingress.model_copy(
        update={
            "name": _prefixed(ingress.name, prefix) if ingress.name else "",
            "namespace": "",  # the clone may be in another one
            "routes": [route(one) for one in ingress.routes],
            "tls": [tls(one) for one in ingress.tls],
        }
    )


def _network_policy(policy: NetworkPolicy, names: Mapping[str, str]) -> NetworkPolicy:
    def peer(one: Peer) -> Peer:
        return one.model_copy(update={"component": names.get(one.component, one.component)})

    ingress = policy.ingress and [
        rule.model_copy(update={"from_": [peer(one) for one in rule.from_]}) for rule in policy.ingress
    ]
    egress = policy.egress and [
        rule.model_copy(update={"to": [peer(one) for one in rule.to]}) for rule in policy.egress
    ]
    return policy.model_copy(update={"ingress": ingress, "egress": egress})
