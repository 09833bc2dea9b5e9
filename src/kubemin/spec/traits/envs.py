"""The ``envs`` trait: single environment variables, from wherever their value is."""

import re
from collections.abc import Iterator, Sequence

from pydantic import ConfigDict, Field

from kubemin.spec.check_context import CheckContext
from kubemin.spec.issues import Issue, IssueCode
from kubemin.spec.model import Flag, SpecModel, Text
from kubemin.spec.names import is_data_key, is_subdomain, is_variable

_FIELD = re.compile(
    r"metadata\.(name|namespace|uid|(labels|annotations)\['[^']+'\])"
    r"|spec\.(nodeName|serviceAccountName)|status\.(hostIPs?|podIPs?)"
)


class KeyRef(SpecModel):
    """One key of a ConfigMap or Secret."""

    model_config = ConfigDict(json_schema_extra={"required": ["name", "key"]})

    name: Text = Field(default="", description="a component of the application, or the name of a ConfigMap or Secret")
    key: Text = Field(default="", description="the key in it")


class ValueFrom(SpecModel):
    """Exactly one of a fixed text, a Secret's key, a ConfigMap's key, and a field of the Pod."""

    keep_empty = frozenset({"static"})

    static: Text | None = Field(default=None, description="a fixed text")
    secret: KeyRef | None = Field(default=None, description="a Secret's key")
    config: KeyRef | None = Field(default=None, description="a ConfigMap's key")
    field: Text | None = Field(default=None, description="a field of the Pod, such as `status.podIP`")


class Env(SpecModel):
    """An environment variable."""

    model_config = ConfigDict(json_schema_extra={"required": ["name", "valueFrom"]})

    name: Text = Field(default="", description="name of the variable")
    value_from: ValueFrom = Field(default=ValueFrom(), description="where its value comes from")
    sensitive: Flag | None = Field(
        default=None,
        description="the value is a secret: it is masked wherever it is shown; `false`: it only looks like one",
    )


def check(envs: Sequence[Env], context: CheckContext, path: str) -> Iterator[Issue]:
    """What is wrong with one container's ``envs``."""
    names: set[str] = set()
    for index, env in enumerate(envs):
        here = f"{path}[{index}]"
        if not env.name:
            yield Issue(
                f"{here}.name",
                IssueCode.MISSING_REQUIRED_FIELD,
                f'An environment variable of component "{context.component}" has no name.',
            )
        elif not is_variable(env.name):
            yield Issue(
                f"{here}.name",
                IssueCode.INVALID_NAME_FORMAT,
                f'"{env.name}" cannot be the name of an environment variable.',
            )
        elif env.name in names:
            yield Issue(
                f"{here}.name",
                IssueCode.INVALID_TRAIT_CONFIG,
                f'Component "{context.component}" sets the environment variable "{env.name}" twice.',
            )
        names.add(env.name)
        yield from _check_source(env, f"{here}.valueFrom")


def _check_source(env: Env, path: str) -> Iterator[Issue]:
    source = env.value_from
    given = [name for name in ("static", "secret", "config", "field") if getattr(source, name) is not None]
    if len(given) != 1:
        yield Issue(
            path,
            IssueCode.INVALID_ENV_VALUE_SOURCE,
            f'Environment variable "{env.name}" needs exactly one of static, secret, config and field'
            f" ({', '.join(given) or 'none'} given).",
        )
    for kind, ref in (("secret", source.secret), ("config", source.config)):
        if ref is None:
            continue
        for part, value, valid in (("name", ref.name, is_subdomain), ("key", ref.key, is_data_key)):
            if not value:
                yield Issue(
                    f"{path}.{kind}.{part}",
                    IssueCode.MISSING_REQUIRED_FIELD,
                    f'Environment variable "{env.name}" comes from a {kind}, but its {part} is not given.',
                )
            elif not valid(value):
                yield Issue(
                    f"{path}.{kind}.{part}",
                    IssueCode.INVALID_NAME_FORMAT,
                    f'Environment variable "{env.name}" comes from a {kind} with the {part} "{value}", '
                    "which Kubernetes does not allow.",
                )
    if source.field is not None and not _FIELD.fullmatch(source.field):
        yield Issue(
            f"{path}.field",
            IssueCode.INVALID_ENV_VALUE_SOURCE,
            f'Environment variable "{env.name}" cannot be taken from the field "{source.field}": '
            "a Pod offers metadata.name, metadata.namespace, metadata.uid, metadata.labels['…'], "
            "metadata.annotations['…'], spec.nodeName, spec.serviceAccountName, status.hostIP and status.podIP.",
        )
