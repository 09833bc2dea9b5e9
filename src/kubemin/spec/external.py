"""A ``secret`` whose values are elsewhere: the External Secrets operator fetches them into a Secret."""

import re
from collections.abc import Iterator

from pydantic import ConfigDict, Field

from kubemin.spec import names
from kubemin.spec.config import check_keys
from kubemin.spec.issues import Issue, IssueCode
from kubemin.spec.model import AsItStands, SpecModel, Text

EXTERNAL_SECRET = "ExternalSecret.external-secrets.io"  # noqa: S105  a kind
STORE_KINDS = ("SecretStore", "ClusterSecretStore")
_DURATION = re.compile(r"0|([0-9]+(\.[0-9]+)?(h|m|s))+", re.ASCII)


class ExternalStore(SpecModel):
    """Where the operator fetches values; it is the cluster's, and made by others."""

    model_config = ConfigDict(json_schema_extra={"required": ["name"]})

    name: Text = Field(default="", description="its name")
    kind: Text = Field(default=STORE_KINDS[0], description=", ".join(STORE_KINDS))


class RemoteValue(SpecModel):
    """A value in the store."""

    model_config = ConfigDict(json_schema_extra={"required": ["key"]})

    key: Text = Field(default="", description="its name in the store")
    property: Text = Field(default="", description="a part of it")
    version: Text = Field(default="", description="default: the newest")


class External(SpecModel):
    """Values by reference. At least one of ``data`` and ``dataFrom``."""

    model_config = ConfigDict(json_schema_extra={"required": ["store"]})

    store: ExternalStore = Field(default=ExternalStore(), description="where the values are")
    refresh_interval: Text = Field(default="", description="how often they are read again, as `1h`; `0`: never")
    data: dict[Text, RemoteValue] = Field(default={}, description="key → value in the store")
    data_from: list[AsItStands] = Field(default=[], description="further ones, as external-secrets.io has them")


def target_name(main: str) -> str:
    """Name of the Secret that the operator makes.

    It is another than that of a Secret with values: so neither takes over, nor deletes, the other's when a component
    changes from the one to the other, or a run that changes it is put back.
    """
    return names.object_name("Secret", main, "external")


def check_external(external: External, what: str, path: str) -> Iterator[Issue]:
    """What is wrong with values by reference."""
    store = external.store
    if not store.name:
        message = f"{what} does not name the store that its values are in."
        yield Issue(f"{path}.store.name", IssueCode.MISSING_REQUIRED_FIELD, message)
    elif not names.is_subdomain(store.name):
        message = f'{what}: "{store.name[:80]}" cannot name a store.'
        yield Issue(f"{path}.store.name", IssueCode.INVALID_NAME_FORMAT, message)
    if store.kind not in STORE_KINDS:
        sentence = f'{what}: "{store.kind[:80]}" is no kind of store'
        yield Issue.of_word(f"{path}.store.kind", IssueCode.INVALID_FIELD_VALUE, sentence, store.kind, STORE_KINDS)
    if external.refresh_interval and not _DURATION.fullmatch(external.refresh_interval):
        message = f"{what}: refreshInterval is a time such as 1h or 90s, or 0."
        yield Issue(f"{path}.refreshInterval", IssueCode.INVALID_FIELD_VALUE, message)
    if not external.data and not external.data_from:
        message = f"{what} does not say which values of the store it means: give it data or dataFrom."
        yield Issue(path, IssueCode.MISSING_REQUIRED_FIELD, message)
    yield from check_keys(external.data, what, f"{path}.data")
    for key, value in external.data.items():
        if not value.key:
            message = f'{what}: "{key[:80]}" does not say which value of the store it is.'
            yield Issue(f"{path}.data.{key}.key", IssueCode.MISSING_REQUIRED_FIELD, message)
