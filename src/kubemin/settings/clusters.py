"""Which clusters a server knows, and which of them a worker serves."""

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, ValidationError, model_validator
from pydantic.alias_generators import to_camel

from kubemin.settings.impersonation import Impersonation, ImpersonationSettings
from kubemin.settings.texts import text_of
from kubemin.spec.names import DEFAULT_CLUSTER, is_label

if TYPE_CHECKING:
    from kubemin.spec.acting import Naming


class ClusterSource(BaseModel):
    """Where a cluster is: a kubeconfig, by its path, and a context of it; or the one that the Pod runs in; or
    simulated. Without anything it is looked for as `Cluster.connect` does.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True)

    kubeconfig: str | None = None
    context: str | None = None
    in_cluster: bool = False
    simulate: bool = False
    impersonation: Impersonation | None = None
    """None here, and of the two below: as the settings say for all."""
    user_prefix: str | None = None
    group_prefix: str | None = None

    @model_validator(mode="after")
    def _one(self) -> "ClusterSource":
        given = [name for name, value in (("kubeconfig", self.kubeconfig), ("inCluster", self.in_cluster)) if value]
        if len(given) > 1:
            raise ValueError(f"{' and '.join(given)} exclude each other")
        if self.context and given == ["inCluster"]:
            raise ValueError("context and inCluster exclude each other")
        return self


def _text(given: object) -> str:
    """The clusters as text, those of a file read. `ValueError` says what is wrong with them."""
    text = text_of(given if isinstance(given, str) else json.dumps(given))
    _read(text)
    return text


@lru_cache(maxsize=4)
def _read(text: str) -> Mapping[str, ClusterSource]:
    if not text.strip():
        return {}
    from kubemin.spec.text import ParseError, parse

    try:
        (data,) = parse(text)
    except ParseError as error:
        raise ValueError(f"no YAML: {error}") from error
    except ValueError:
        raise ValueError("one document is expected") from None
    return {_name(name): _source(name, one) for name, one in _entries(data)}


def _entries(data: object) -> list[tuple[object, object]]:
    """Name and the rest of each: of a mapping by name, or of a list whose items have a name."""
    if isinstance(data, dict):
        return list(data.items())
    if not isinstance(data, list) or not all(isinstance(one, dict) and "name" in one for one in data):
        raise ValueError("a mapping of names to clusters is expected, or a list of clusters with a name")
    names = [one["name"] for one in data]
    if twice := sorted({str(name) for name in names if names.count(name) > 1}):
        raise ValueError(f"{', '.join(twice)} is there more than once")
    return [(one["name"], {key: value for key, value in one.items() if key != "name"}) for one in data]


def _name(name: object) -> str:
    if not isinstance(name, str) or not is_label(name):
        raise ValueError(f'{name!r} cannot name a cluster: use lower-case letters, digits and "-", at most 63')
    return name


def _source(name: object, given: object) -> ClusterSource:
    try:
        return ClusterSource.model_validate({} if given is None else given)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(map(str, (name, *first["loc"])))
        raise ValueError(f"{where}: {first['msg']}") from error


def names_in(text: str) -> tuple[str, ...]:
    """Names separated by commas."""
    return tuple(dict.fromkeys(_name(name.strip()) for name in text.split(",") if name.strip()))


def _names(text: str) -> str:
    names_in(text)
    return text


class ClusterSettings(ImpersonationSettings):
    """The cluster `default` is what `kubeconfig`, `context` and `simulate` say; where `clusters` is given and none of
    these is, there is no other than those that it names.
    """

    model_config = ConfigDict(frozen=True)

    kubeconfig: str | None = None
    """Kubeconfig file that names the cluster `default`."""
    context: str | None = None
    """Context of the kubeconfig."""
    simulate: bool = False
    """The cluster `default` is a simulated one inside the process."""
    clusters: Annotated[str, BeforeValidator(_text)] = ""
    """Further clusters, by name, as YAML or JSON, or the path of a file with them:
    `{prod: {kubeconfig: FILE, context: NAME}, here: {inCluster: true}}`. Each may have `impersonation`, `userPrefix`
    and `groupPrefix` of its own.
    """
    serves: Annotated[str, AfterValidator(_names)] = ""
    """Clusters, separated by commas, whose tasks the workers run; without it those of all that they know."""

    @model_validator(mode="after")
    def _fitting(self) -> "ClusterSettings":
        if DEFAULT_CLUSTER in _read(self.clusters) and (self.kubeconfig or self.context or self.simulate):
            raise ValueError("clusters names the cluster default, and kubeconfig, context or simulate does so too")
        known = self.known_clusters
        if unknown := [name for name in names_in(self.serves) if name not in known]:
            raise ValueError(f"serves names {', '.join(unknown)}, and the clusters are {', '.join(sorted(known))}")
        return self

    @property
    def known_clusters(self) -> Mapping[str, ClusterSource]:
        """All of them, by name; `default` comes first."""
        named = _read(self.clusters)
        if named and not (self.kubeconfig or self.context or self.simulate):
            return named
        default = ClusterSource(kubeconfig=self.kubeconfig, context=self.context, simulate=self.simulate)
        return {DEFAULT_CLUSTER: default, **named}

    @property
    def namings(self) -> "Mapping[str, Naming]":
        """How callers are called in those clusters where they are acted as."""
        from kubemin.spec.acting import Naming

        def first(own: str | None, all_of_them: str) -> str:
            return all_of_them if own is None else own

        return {
            name: Naming(
                first(source.user_prefix, self.impersonation_user_prefix),
                first(source.group_prefix, self.impersonation_group_prefix),
                self.impersonation_groups,
                self.impersonation_system_names,
            )
            for name, source in self.known_clusters.items()
            if (source.impersonation or self.impersonation) == "caller"
        }

    @property
    def served_clusters(self) -> Mapping[str, ClusterSource]:
        """Those whose tasks a worker with these settings runs."""
        known = self.known_clusters
        return {name: known[name] for name in names_in(self.serves)} if self.serves else known
