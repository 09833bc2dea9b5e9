"""The ``envFrom`` trait: all keys of a ConfigMap or Secret as environment variables."""

from collections.abc import Iterator, Sequence

from pydantic import ConfigDict, Field

from kubemin.spec.check_context import CheckContext
from kubemin.spec.issues import Issue, IssueCode
from kubemin.spec.model import SpecModel, Text
from kubemin.spec.names import is_subdomain

ENV_FROM_TYPES = ("config", "configMap", "secret")


class EnvFrom(SpecModel):
    """Where the variables come from. ``config`` and ``configMap`` are the same."""

    model_config = ConfigDict(json_schema_extra={"required": ["type", "sourceName"]})

    type: Text = Field(default="", description=", ".join(ENV_FROM_TYPES))
    source_name: Text = Field(
        default="", description="a component of the application, or the name of a ConfigMap or Secret"
    )


def check(sources: Sequence[EnvFrom], context: CheckContext, path: str) -> Iterator[Issue]:
    """What is wrong with one container's ``envFrom``."""
    for index, source in enumerate(sources):
        here = f"{path}[{index}]"
        if source.type not in ENV_FROM_TYPES:
            yield Issue.of_word(
                f"{here}.type",
                IssueCode.INVALID_ENV_FROM_TYPE,
                f'Component "{context.component}" takes variables from the unknown type "{source.type}"',
                source.type,
                ENV_FROM_TYPES,
            )
        if not source.source_name:
            yield Issue(
                f"{here}.sourceName",
                IssueCode.MISSING_REQUIRED_FIELD,
                f'An envFrom of component "{context.component}" names no source.',
            )
        elif not is_subdomain(source.source_name):
            yield Issue(
                f"{here}.sourceName",
                IssueCode.INVALID_NAME_FORMAT,
                f'"{source.source_name}" cannot be the name of a ConfigMap or Secret.',
            )
