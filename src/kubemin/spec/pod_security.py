"""What the profile ``baseline`` of Kubernetes' Pod Security Standards forbids, as of 1.36: it leads out of the Pod.

It is refused unless a setting names it. One rule for components, whose fields have Kubernetes' names, and for the Pod
templates of manifests, which may hold anything: nothing here relies on the types of values.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from kubemin.spec.issues import Issue, IssueCode
from kubemin.spec.limits import Limits, listed
from kubemin.spec.privileges import why_identity_refused

CAPABILITIES = frozenset(
    [
        "AUDIT_WRITE",
        "CHOWN",
        "DAC_OVERRIDE",
        "FOWNER",
        "FSETID",
        "KILL",
        "MKNOD",
        "NET_BIND_SERVICE",
        "SETFCAP",
        "SETGID",
        "SETPCAP",
        "SETUID",
        "SYS_CHROOT",
    ]
)
SYSCTLS = frozenset(
    [
        "kernel.shm_rmid_forced",
        "net.ipv4.ip_local_port_range",
        "net.ipv4.ip_local_reserved_ports",
        "net.ipv4.ip_unprivileged_port_start",
        "net.ipv4.ping_group_range",
        "net.ipv4.tcp_fin_timeout",
        "net.ipv4.tcp_keepalive_intvl",
        "net.ipv4.tcp_keepalive_probes",
        "net.ipv4.tcp_keepalive_time",
        "net.ipv4.tcp_rmem",
        "net.ipv4.tcp_syncookies",
        "net.ipv4.tcp_wmem",
    ]
)
SE_LINUX_TYPES = frozenset({"", "container_t", "container_init_t", "container_kvm_t", "container_engine_t"})
_APP_ARMOR = "container.apparmor.security.beta.kubernetes.io/"
_PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
_HOOKS = ("postStart", "preStop")
_CONTAINERS = ("initContainers", "containers", "ephemeralContainers")


@dataclass(frozen=True, slots=True)
class Refusal:
    """A field that needs permission: where, what it does, and the setting that could allow it."""

    field: str
    why: str
    setting: str

    def issue(self, what: str, path: str) -> Issue:
        """As an issue of ``what``; ``path`` is where its fields are."""
        message = f"{what}: {self.why}; {self.setting} does not allow it."
        return Issue(f"{path}.{self.field}", IssueCode.NOT_ALLOWED, message)


def refused_of_spec(spec: Mapping[str, Any], limits: Limits) -> Iterator[Refusal]:
    """What of a Pod's spec, as Kubernetes has it, is refused."""
    yield from refused_of_pod(spec, limits)
    for index, volume in enumerate(_maps(spec.get("volumes"))):
        if volume.get("hostPath") is not None and not limits.allow_host_path:
            why = "it mounts a path of its node"
            yield Refusal(f"volumes[{index}].hostPath", why, "KUBEMIN_ALLOW_HOST_PATH")
    for kind in _CONTAINERS:
        for index, container in enumerate(_maps(spec.get(kind))):
            for refused in refused_of_container(container, limits):
                yield _below(f"{kind}[{index}]", refused)


def refused_annotations(annotations: Mapping[str, Any], limits: Limits) -> Iterator[Refusal]:
    """Annotations of Pods that are refused; their fields are their keys."""
    for key, value in annotations.items():
        if (why := why_identity_refused(key)) and not listed(key, limits.allow_annotations):
            yield Refusal(key, f'the annotation "{key}" {why}', "KUBEMIN_ALLOW_ANNOTATIONS")
        elif key.startswith(_APP_ARMOR) and not _is_profile(value):
            yield from _refused(limits, "appArmorProfile", key, "it turns AppArmor off for a container")


def refused_of_pod(spec: Mapping[str, Any], limits: Limits) -> Iterator[Refusal]:
    """What of a Pod's own fields is refused; those of its containers are another matter."""
    for field, what in (("hostNetwork", "network"), ("hostPID", "processes"), ("hostIPC", "memory")):
        if spec.get(field) not in (None, False):
            yield from _refused(limits, field, field, f"its Pods would share the {what} of their node")
    context = as_map(spec.get("securityContext"))
    for refused in _of_context(context, limits):
        yield _below("securityContext", refused)
    for index, sysctl in enumerate(_maps(context.get("sysctls"))):
        name = str(sysctl.get("name"))
        if name not in SYSCTLS:
            why = f'the sysctl "{name}" may reach beyond the Pod'
            yield from _refused(limits, f"sysctls.{name}", f"securityContext.sysctls[{index}].name", why)


def refused_of_container(container: Mapping[str, Any], limits: Limits) -> Iterator[Refusal]:
    """What of a container is refused."""
    context = as_map(container.get("securityContext"))
    for refused in (*_of_context(context, limits), *_of_container_context(context, limits)):
        yield _below("securityContext", refused)
    for index, port in enumerate(_maps(container.get("ports"))):
        if port.get("hostPort") not in (None, 0):
            why = "it would take a port of its node"
            yield from _refused(limits, "hostPort", f"ports[{index}].hostPort", why)
    lifecycle = as_map(container.get("lifecycle"))
    asking = [(name, as_map(container.get(name))) for name in _PROBES]
    asking += [(f"lifecycle.{name}", as_map(lifecycle.get(name))) for name in _HOOKS]
    for place, handler in asking:
        for action in ("httpGet", "tcpSocket"):
            host = as_map(handler.get(action)).get("host")
            if host and not listed(str(host), limits.allow_probe_hosts):
                why = f'the node would send requests to "{host}" rather than to the Pod'
                yield Refusal(f"{place}.{action}.host", why, "KUBEMIN_ALLOW_PROBE_HOSTS")


def _of_context(context: Mapping[str, Any], limits: Limits) -> Iterator[Refusal]:
    """What Pods and containers have both."""
    options = as_map(context.get("seLinuxOptions"))
    for field in ("user", "role", "type"):
        allowed = SE_LINUX_TYPES if field == "type" else frozenset({""})
        if (value := options.get(field)) is not None and str(value) not in allowed:
            why = f'the SELinux {field} "{value}" may have more rights than containers have'
            yield from _refused(limits, "seLinuxOptions", f"seLinuxOptions.{field}", why)
    for field, what in (("seccompProfile", "seccomp"), ("appArmorProfile", "AppArmor")):
        if as_map(context.get(field)).get("type") == "Unconfined":
            yield from _refused(limits, field, f"{field}.type", f"it turns {what} off")
    if as_map(context.get("windowsOptions")).get("hostProcess") not in (None, False):
        yield from _refused(
            limits, "hostProcess", "windowsOptions.hostProcess", "it would run as a process of its node"
        )


def _of_container_context(context: Mapping[str, Any], limits: Limits) -> Iterator[Refusal]:
    if context.get("privileged") not in (None, False):
        yield from _refused(limits, "privileged", "privileged", "it would be root on its node")
    if context.get("procMount") not in (None, "", "Default"):
        yield from _refused(limits, "procMount", "procMount", "it would see what of /proc is hidden from containers")
    added = as_map(context.get("capabilities")).get("add")
    for index, name in enumerate(added if isinstance(added, list) else ()):
        if str(name) not in CAPABILITIES:
            why = f'the capability "{name}" may lead out of the container'
            yield from _refused(limits, f"capabilities.{name}", f"capabilities.add[{index}]", why)


def _refused(limits: Limits, word: str, field: str, why: str) -> Iterator[Refusal]:
    """A refusal, unless the setting has the word for it."""
    if not listed(word, limits.allow_privileged):
        yield Refusal(field, f"{why} ({word})" if word != field else why, "KUBEMIN_ALLOW_PRIVILEGED")


def _below(path: str, refused: Refusal) -> Refusal:
    return Refusal(f"{path}.{refused.field}", refused.why, refused.setting)


def _is_profile(value: object) -> bool:
    return value in ("", "runtime/default") or str(value).startswith("localhost/")


def as_map(value: object) -> Mapping[str, Any]:
    """A map; whatever else it is, an empty one."""
    return value if isinstance(value, dict) else {}


def _maps(value: object) -> list[Mapping[str, Any]]:
    """The items of a list, those that are no objects as empty ones: the places stay."""
    return [as_map(one) for one in value] if isinstance(value, list) else []
