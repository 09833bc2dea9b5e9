"""The page of an application's fields: what the code declares, with what docs/format.md says of them."""

import re

from kubemin.spec.application import Application
from tests.docs.markdown import ROOT
from tests.docs.reference.markdown import page
from tests.docs.reference.schema import Schema, fields, kind, meaning

_SCHEMA: Schema = Application.model_json_schema(by_alias=True, ref_template="#/components/schemas/{model}")
MODELS: dict[str, Schema] = {"Application": _SCHEMA, **_SCHEMA["$defs"]}

_SECTIONS = {
    "An application": ("Application",),
    "Components": ("Component", "Properties"),
    "Ports and Services": ("Port", "ContainerPort", "ServiceFields", "SessionAffinityConfig", "ClientIpConfig"),
    "Containers": ("Lifecycle", "LifecycleHandler", "Sleep"),
    "Pods": (
        *("PodFields", "SecretRef", "Toleration", "TopologySpreadConstraint", "HostAlias", "DnsConfig", "DnsOption"),
        *("Affinity", "NodeAffinity", "NodeSelector", "NodeSelectorTerm", "PreferredSchedulingTerm"),
        *("PodAffinity", "PodAffinityTerm", "WeightedPodAffinityTerm"),
        *("LabelSelector", "LabelRequirement", "NodeRequirement"),
    ),
    "Security": (
        *("SecurityContext", "PodSecurityContext", "Capabilities", "SeccompProfile", "AppArmorProfile"),
        *("SeLinuxOptions", "Sysctl", "WindowsOptions"),
    ),
    "Readiness rules": ("ReadinessRule",),
    "Values that are elsewhere": ("External", "ExternalStore", "RemoteValue"),
    "Traits": ("Traits", "NestedTraits"),
    "storage": ("Storage",),
    "envFrom": ("EnvFrom",),
    "envs": ("Env", "ValueFrom", "KeyRef"),
    "resources": ("Resources",),
    "probes": ("Probe", "ExecAction", "HttpGet", "HttpHeader", "TcpSocket", "Grpc"),
    "rbac": ("Rbac", "Rule"),
    "init": ("Init", "InitProperties"),
    "sidecar": ("Sidecar",),
    "ingress": ("Ingress", "Route", "Backend", "Rewrite", "Tls"),
    "expose": ("Expose", "ExposedPath", "ParentRef"),
    "hpa": ("Hpa",),
    "pdb": ("Pdb",),
    "networkPolicy": ("NetworkPolicy", "IngressRule", "EgressRule", "Peer", "PolicyPort"),
    "share": ("Share",),
    "Workflow": ("Step", "SubStep", "Mode", "OnFailure"),
    "Strategies": ("StrategySpec", "CanaryStep"),
    "Templates": ("TemplateRef",),
}
"""Sections of docs/format.md, and the models that they explain; a table in one is about the first of them."""
_SECOND = {
    "| `properties` | |": "Properties",
    "| `service` | |": "ServiceFields",
    "| of `external` | |": "External",
}
"""Tables that are about another."""


def of_applications() -> str:
    """Each field of an application."""
    texts = told()
    parts = [
        "Each field of the format: type and default as the code declares them. With examples and rules:"
        " [The application format](../format.md). What is not *required* may be left out; on input snake_case is"
        " taken too.",
    ]
    for section, models in _SECTIONS.items():
        parts.append(f"## {section}")
        parts.append(f"See [{section}](../format.md#{section.lower().replace(' ', '-')}).")
        for name in models:
            model = MODELS[name]
            parts += [f"### {name}", meaning(model), fields(model, texts.get(name)) or f"One of {kind(model)}."]
    return page("The fields of an application", *parts)


def told() -> dict[str, dict[str, str]]:
    """By model, what the tables of docs/format.md say of its fields."""
    found: dict[str, dict[str, str]] = {name: {} for name in MODELS}
    text = (ROOT / "docs" / "format.md").read_text()
    for heading, section in re.findall(r"^##+ ([^\n]+)\n(.*?)(?=^##+ |\Z)", text, re.MULTILINE | re.DOTALL):
        for table in re.findall(r"(?:^\|.*\n)+", section, re.MULTILINE):
            head, _, *rows = table.splitlines()
            model = _SECOND.get(head) or (_SECTIONS.get(heading, ("",))[0] if head == "| field | |" else "")
            for row in rows if model else ():
                names, _, says = row.strip("| ").partition(" | ")
                for name in re.findall(r"`(\w+)`", names):
                    linked = re.sub(r"\]\((?!#|https?:)", "](../", says.removeprefix("required; "))
                    found[model][name] = linked.replace("](#", "](../format.md#")
    return found
