# ruff: noqa: RUF012  (Pydantic copies defaults)
"""The ``ingress`` trait: HTTP routes from outside to Services."""

import re
from collections.abc import Iterator, Sequence

from pydantic import ConfigDict, Field

from kubemin.spec.characters import has_unseen
from kubemin.spec.check_context import CheckContext, Made
from kubemin.spec.issues import Issue, IssueCode
from kubemin.spec.model import SpecModel, Text, Whole
from kubemin.spec.names import is_label, is_service_name, is_subdomain, object_name
from kubemin.spec.objects import ObjectRef
from kubemin.spec.values import check_annotations, check_labels

PATH_TYPES = ("Prefix", "Exact", "ImplementationSpecific")
_NOT_IN_PATTERNS = re.compile(r"""[\s;{}#"'`]""")
_NOT_IN_PATHS = re.compile(r"""[\s;{}#"'`\\$]""")
"""Controllers write paths into a configuration file: these would end a word there, or begin a comment or a variable."""
_GROUP = re.compile(r"\$[0-9]")
REPLACE, REGEX, STRIP = "replace", "regex", "prefix"
REWRITE_TYPES = (REPLACE, REGEX, STRIP)
_CLASS = "kubernetes.io/ingress.class"
_OTHER_WORDS = {"regexReplace": REGEX}


class Rewrite(SpecModel):
    """Another path for the backend, by annotations that the nginx controller understands.

    ``replace``: every path becomes ``replacement`` · ``prefix``: the route's path is cut off and ``replacement``
    (default: nothing) put there · ``regex``: ``match`` (default: the route's path) is a pattern, and ``replacement``
    may name its groups (``$1``).
    """

    type: Text = Field(default=REPLACE, description=", ".join((*REWRITE_TYPES, *_OTHER_WORDS)))
    match: Text = Field(default="", description="what is replaced in the path")
    replacement: Text = Field(default="", description="what stands there then")

    @property
    def kind(self) -> str:
        """The type, in our word for it."""
        return _OTHER_WORDS.get(self.type, self.type)


class Backend(SpecModel):
    """A Service, or a component of the application, whose Service is meant then."""

    model_config = ConfigDict(json_schema_extra={"required": ["serviceName"]})

    service_name: Text = Field(default="", description="a component of the application, or the name of a Service")
    service_port: Whole = Field(default=80, description="a port of the Service")
    weight: Whole | None = Field(default=None, description="has no effect")
    headers: dict[Text, Text] = Field(default={}, description="has no effect")


class Route(SpecModel):
    """Requests for one path, of one host or of all hosts of the Ingress."""

    model_config = ConfigDict(json_schema_extra={"required": ["backend"]})

    path: Text = Field(default="/", description="the path of a request")
    path_type: Text | None = Field(
        default=None, description="how it is compared; default: the Ingress's `defaultPathType`"
    )
    host: Text | None = Field(
        default=None, description="only requests for this host; default: the hosts of the Ingress"
    )
    backend: Backend = Field(default=Backend(), description="where the requests go")
    rewrite: Rewrite | None = Field(default=None, description="another path for the backend")


class Tls(SpecModel):
    """A certificate in a Secret, for some hosts."""

    secret_name: Text | None = Field(default=None, description="the Secret with the certificate")
    hosts: list[Text] = Field(default=[], description="hosts that it is for")


class Ingress(SpecModel):
    """An Ingress. Its name defaults to that of the component's main object."""

    model_config = ConfigDict(json_schema_extra={"required": ["routes"]})

    name: Text = ""
    namespace: Text = Field(default="", description="that of the component, in which the Ingress is made in any case")
    hosts: list[Text] = []
    ingress_class_name: Text | None = None
    default_path_type: Text = Field(default="Prefix", description=", ".join(PATH_TYPES))
    tls: list[Tls] = []
    label: dict[Text, Text] = {}
    annotations: dict[Text, Text] = {}
    routes: list[Route] = []

    @property
    def is_nginx(self) -> bool:
        """Whether its class is the one that the controller ingress-nginx has where nobody renames it."""
        return (self.ingress_class_name or self.annotations.get(_CLASS)) == "nginx"

    def by_rewrite(self) -> list[tuple[Rewrite | None, list[Route]]]:
        """Routes grouped by rewrite, in order of appearance.

        A rewrite is an annotation of a whole Ingress, so each different one needs an Ingress of its own.
        """
        groups: dict[Rewrite | None, list[Route]] = {}
        for route in self.routes:
            groups.setdefault(route.rewrite, []).append(route)
        return list(groups.items())

    def object_names(self, main: str) -> list[str]:
        """Names of the Ingresses, one a group of ``by_rewrite``; the first is the plain one."""
        count = max(1, len(self.by_rewrite()))
        more = [(), *((str(number + 1),) for number in range(1, count))]
        return [object_name("Ingress", self.name or main, *number) for number in more]


def check(ingresses: Sequence[Ingress], context: CheckContext, path: str) -> Iterator[Issue]:
    """What is wrong with ``ingress``."""
    for index, ingress in enumerate(ingresses):
        here = f"{path}[{index}]"
        what = f'Ingress "{ingress.name or context.component}"'
        if ingress.name and not is_label(ingress.name):
            yield Issue(
                f"{here}.name",
                IssueCode.INVALID_NAME_FORMAT,
                f'"{ingress.name}" cannot name an Ingress: use lower-case letters, digits and "-", at most 63.',
            )
        if ingress.namespace not in ("", context.namespace):
            yield Issue(
                f"{here}.namespace",
                IssueCode.INVALID_TRAIT_CONFIG,
                f'{what} cannot be in namespace "{ingress.namespace[:80]}": an Ingress is made in the namespace of its '
                f'component, "{context.namespace}".',
            )
        if not ingress.routes:
            yield Issue(f"{here}.routes", IssueCode.MISSING_INGRESS_ROUTES, f"{what} has no routes.")
        if ingress.ingress_class_name and not is_subdomain(ingress.ingress_class_name):
            yield Issue(
                f"{here}.ingressClassName",
                IssueCode.INVALID_NAME_FORMAT,
                f'{what}: "{ingress.ingress_class_name}" cannot name an Ingress class.',
            )
        yield from _check_path_type(ingress.default_path_type, what, f"{here}.defaultPathType")
        for place, host in enumerate(ingress.hosts):
            yield from check_host(host, what, f"{here}.hosts[{place}]")
        for place, tls in enumerate(ingress.tls):
            yield from check_tls(tls, what, f"{here}.tls[{place}]")
        yield from check_labels(ingress.label, context.limits, what, f"{here}.label")
        yield from check_annotations(ingress.annotations, context, what, f"{here}.annotations")
        for place, route in enumerate(ingress.routes):
            yield from _check_route(route, ingress, context, what, f"{here}.routes[{place}]")


def _check_path_type(text: str, what: str, path: str) -> Iterator[Issue]:
    if text not in PATH_TYPES:
        sentence = f'{what}: "{text}" is no path type'
        yield Issue.of_word(path, IssueCode.INVALID_TRAIT_CONFIG, sentence, text, PATH_TYPES)


def check_host(host: str, what: str, path: str) -> Iterator[Issue]:
    """A host is a name, or every name below one."""
    if not is_subdomain(host.removeprefix("*.")):
        yield Issue(
            path,
            IssueCode.INVALID_NAME_FORMAT,
            f'{what}: "{host}" is no host name such as shop.example or *.shop.example.',
        )


def check_tls(tls: Tls, what: str, path: str) -> Iterator[Issue]:
    """What is wrong with a certificate and its hosts."""
    for place, host in enumerate(tls.hosts):
        yield from check_host(host, what, f"{path}.hosts[{place}]")
    if tls.secret_name and not is_subdomain(tls.secret_name):
        yield Issue(
            f"{path}.secretName", IssueCode.INVALID_NAME_FORMAT, f'{what}: "{tls.secret_name}" cannot name a Secret.'
        )


def check_path(text: str, what: str, path: str, *, exact: bool = True, pattern: bool = False) -> Iterator[Issue]:
    """What is wrong with a path. ``exact``: it means the same to all controllers; ``pattern``: it may be one."""
    if not text.startswith("/"):
        yield Issue(path, IssueCode.INVALID_TRAIT_CONFIG, f'{what}: the path "{text}" must begin with a slash.')
    elif exact and _unclean(text):
        yield Issue(
            path,
            IssueCode.INVALID_TRAIT_CONFIG,
            f'{what}: the path "{text}" must not contain "//", "/./", "/../" or their encoded forms.',
        )
    elif _breaks_out(text, pattern=pattern):
        yield _broken(path, what, "path")


def _check_route(route: Route, ingress: Ingress, context: CheckContext, what: str, path: str) -> Iterator[Issue]:
    exact = (route.path_type or ingress.default_path_type) != "ImplementationSpecific"
    yield from check_path(route.path, what, f"{path}.path", exact=exact, pattern=_is_pattern(route, ingress))
    if route.path_type:
        yield from _check_path_type(route.path_type, what, f"{path}.pathType")
    if route.host:
        yield from check_host(route.host, what, f"{path}.host")
    yield from _check_backend(route.backend, context, what, f"{path}.backend")
    if route.rewrite:
        yield from _check_rewrite(route.rewrite, what, f"{path}.rewrite")


def _is_pattern(route: Route, ingress: Ingress) -> bool:
    """Whether the path is a regular expression, or may be one: only the controller knows."""
    rewritten = route.rewrite is not None and route.rewrite.kind == REGEX
    return rewritten or (route.path_type or ingress.default_path_type) == "ImplementationSpecific"


def _breaks_out(text: str, *, pattern: bool) -> bool:
    forbidden = _NOT_IN_PATTERNS if pattern else _NOT_IN_PATHS
    return has_unseen(text) or forbidden.search(text) is not None


def _broken(path: str, what: str, field: str) -> Issue:
    return Issue(
        path,
        IssueCode.INVALID_TRAIT_CONFIG,
        f"{what}: the {field} holds blanks, control characters, quotes or one of ; {{ }} # $ \\, "
        "which could change the configuration of the Ingress controller.",
    )


def _unclean(route: str) -> bool:
    lowered = route.lower()
    return any(part in lowered for part in ("//", "/./", "/../", "%2f")) or lowered.endswith(("/..", "/."))


def _check_backend(backend: Backend, context: CheckContext, what: str, path: str) -> Iterator[Issue]:
    name = backend.service_name
    if not name:
        yield Issue(
            f"{path}.serviceName", IssueCode.MISSING_SERVICE_NAME, f"{what} has a route that leads to no Service."
        )
    elif name in context.components:
        if not context.components[name]:
            yield Issue(
                f"{path}.serviceName",
                IssueCode.INVALID_TRAIT_CONFIG,
                f'{what} leads to component "{name}", which has no ports and so no Service.',
            )
    elif not is_service_name(name):
        yield Issue(f"{path}.serviceName", IssueCode.INVALID_NAME_FORMAT, f'{what}: "{name}" cannot name a Service.')
    if not 1 <= backend.service_port <= 65535:
        yield Issue(
            f"{path}.servicePort", IssueCode.INVALID_TRAIT_CONFIG, f"{what}: servicePort must be between 1 and 65535."
        )


def _check_rewrite(rewrite: Rewrite, what: str, path: str) -> Iterator[Issue]:
    if rewrite.kind not in REWRITE_TYPES:
        sentence = f'{what}: "{rewrite.type}" is no kind of rewrite'
        yield Issue.of_word(f"{path}.type", IssueCode.INVALID_TRAIT_CONFIG, sentence, rewrite.type, REWRITE_TYPES)
    elif rewrite.kind != STRIP and not rewrite.replacement:
        yield Issue(
            f"{path}.replacement", IssueCode.MISSING_REQUIRED_FIELD, f"{what}: a rewrite needs its replacement."
        )
    if rewrite.match and rewrite.kind == REGEX and not rewrite.match.startswith("/"):
        yield Issue(
            f"{path}.match",
            IssueCode.INVALID_TRAIT_CONFIG,
            f'{what}: the pattern "{rewrite.match}" must begin with "/".',
        )
    elif _breaks_out(rewrite.match, pattern=rewrite.kind == REGEX):
        yield _broken(f"{path}.match", what, "pattern")
    if _breaks_out(_GROUP.sub("", rewrite.replacement), pattern=False):
        yield _broken(f"{path}.replacement", what, "replacement")


def made(ingresses: Sequence[Ingress], context: CheckContext, path: str) -> Iterator[Made]:
    """One object an Ingress and different rewrite."""
    for index, ingress in enumerate(ingresses):
        for name in ingress.object_names(context.main):
            yield Made(ObjectRef("Ingress", context.namespace, name), f"{path}[{index}]")
