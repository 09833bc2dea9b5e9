"""Builds requests to the API server, without sending them. Names are checked here.

``served`` is the kind as the API server serves it (`kubemin.cluster.discovery`); without it, as `kinds` has it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

import orjson

from kubemin.cluster.errors import Invalid
from kubemin.spec.acting import Identity
from kubemin.spec.kind import Kind
from kubemin.spec.kinds import kind_of
from kubemin.spec.labels import MANAGER
from kubemin.spec.objects import Manifest, ObjectRef

Query = tuple[tuple[str, str], ...]

JSON = "application/json"
METADATA_LIST = f"{JSON};as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
"""Of the objects of a collection only their metadata."""
JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"
APPLY_PATCH = "application/apply-patch+yaml"


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request. ``subject`` (``Deployment/shop/web``) and ``verb`` name it in errors."""

    verb: str
    method: str
    path: str
    subject: str
    query: Query = ()
    body: bytes | None = None
    content_type: str = JSON
    accept: str = JSON
    acting_as: Identity | None = None
    """As whom it is to be done; None: as KubeMin itself."""

    @property
    def is_write(self) -> bool:
        """Whether the request may change something: a dry run does not."""
        return self.method != "GET" and ("dryRun", "All") not in self.query

    @property
    def target(self) -> str:
        """Path and query as they go on the wire."""
        return f"{self.path}?{urlencode(self.query)}" if self.query else self.path


def get(ref: ObjectRef, served: Kind | None = None) -> Request:
    """GET of one object."""
    return Request("get", "GET", object_path(ref, served), str(ref))


def list_page(
    kind: str,
    namespace: str | None = None,
    *,
    labels: str | None = None,
    fields: str | None = None,
    limit: int | None = None,
    token: str | None = None,
    metadata_only: bool = False,
    served: Kind | None = None,
) -> Request:
    """GET of a collection, one page of it when ``limit`` is given; ``token`` continues where a page ended.

    With ``metadata_only``, the items have nothing else.
    """
    query = _some(labelSelector=labels, fieldSelector=fields, limit=limit, **{"continue": token})
    path, subject = collection_path(kind, namespace, served), _collection_name(kind, namespace)
    return Request("list", "GET", path, subject, query, accept=METADATA_LIST if metadata_only else JSON)


def watch(
    kind: str,
    namespace: str | None,
    *,
    labels: str | None,
    version: str,
    seconds: int,
    served: Kind | None = None,
) -> Request:
    """GET of the changes of a collection after ``version``; the server ends the stream after ``seconds``."""
    query = _some(
        watch="true",
        allowWatchBookmarks="true",
        resourceVersion=version,
        timeoutSeconds=seconds,
        labelSelector=labels,
    )
    path, subject = collection_path(kind, namespace, served), _collection_name(kind, namespace)
    return Request("watch", "GET", path, subject, query)


def log(
    pod: ObjectRef,
    container: str,
    *,
    lines: int | None,
    previous: bool = False,
    most: int | None = None,
    follow: bool = False,
) -> Request:
    """GET of the last ``lines`` that a container of a Pod wrote (None: of all), or those of its run before this one.

    Of them, at most the first ``most`` bytes. With ``follow`` the answer goes on until this run of the container ends.
    """
    query = _some(
        container=container,
        tailLines=lines,
        previous="true" if previous else None,
        limitBytes=most,
        follow="true" if follow else None,
    )
    return Request("read the log of", "GET", f"{object_path(pod)}/log", f"{pod}", query)


def create(manifest: Manifest, *, dry_run: bool = False, served: Kind | None = None) -> Request:
    """POST: creates the object only if there is none of that name."""
    ref = ref_of(manifest)
    path = collection_path(ref.kind, ref.namespace or None, served, whole=False, version=ref.version)
    return Request("create", "POST", path, str(ref), _write_query(dry_run), _body(manifest))


def apply(manifest: Manifest, *, dry_run: bool = False, served: Kind | None = None) -> Request:
    """Server-side apply, forced. The body is sent as it is: uid and resourceVersion in it are the preconditions."""
    ref = ref_of(manifest)
    query = (*_write_query(dry_run), ("force", "true"))
    return Request("apply", "PATCH", object_path(ref, served), str(ref), query, _body(manifest), APPLY_PATCH)


def replace(manifest: Manifest, *, dry_run: bool = False, served: Kind | None = None) -> Request:
    """PUT of the whole object."""
    ref = ref_of(manifest)
    return Request("replace", "PUT", object_path(ref, served), str(ref), _write_query(dry_run), _body(manifest))


def patch(
    ref: ObjectRef,
    operations: Sequence[Mapping[str, Any]] | Mapping[str, Any],
    *,
    dry_run: bool = False,
    served: Kind | None = None,
    manager: str = MANAGER,
) -> Request:
    """JSON patch for a list of operations, merge patch for a mapping."""
    content_type = MERGE_PATCH if isinstance(operations, Mapping) else JSON_PATCH
    path, body = object_path(ref, served), _body(operations)
    return Request("patch", "PATCH", path, str(ref), _write_query(dry_run, manager), body, content_type)


def delete(
    ref: ObjectRef,
    *,
    uid: str,
    resource_version: str | None = None,
    dry_run: bool = False,
    served: Kind | None = None,
) -> Request:
    """DELETE in the background of the object with this uid; the uid, and the version if given, are preconditions."""
    preconditions = {"uid": uid} | ({"resourceVersion": resource_version} if resource_version else {})
    options = {
        "apiVersion": "v1",
        "kind": "DeleteOptions",
        "preconditions": preconditions,
        "propagationPolicy": "Background",
        **({"dryRun": ["All"]} if dry_run else {}),
    }
    query: Query = (("dryRun", "All"),) if dry_run else ()  # the API server reads the body; it tells us and metrics
    return Request("delete", "DELETE", object_path(ref, served), str(ref), query, _body(options))


def ref_of(manifest: Mapping[str, Any]) -> ObjectRef:
    """The reference of a manifest; Invalid when it lacks a kind or a name."""
    try:
        return ObjectRef.of(manifest)
    except (KeyError, TypeError, AttributeError):
        raise Invalid("An object needs kind and metadata.name.") from None


def object_path(ref: ObjectRef, served: Kind | None = None) -> str:
    """URL path of one object."""
    collection = collection_path(ref.kind, ref.namespace or None, served, whole=False, version=ref.version)
    return f"{collection}/{_segment(ref.name, f'the name of a {ref.kind}')}"


def collection_path(
    kind: str, namespace: str | None = None, served: Kind | None = None, *, whole: bool = True, version: str = ""
) -> str:
    """URL path of a kind's objects in one namespace or, where ``whole`` permits it, in all of them.

    ``version`` where it is not the one that it is served in.
    """
    known = served or kind_of(kind)
    if not known.plural:
        raise Invalid(f"KubeMin does not know the kind {kind!r}.")
    path = f"/{'apis' if known.group else 'api'}/{known.api_version_in(version)}"
    if not known.namespaced:
        if namespace:
            raise Invalid(f"A {kind} does not live in a namespace.")
        return f"{path}/{known.plural}"
    if namespace is None and whole:
        return f"{path}/{known.plural}"
    return f"{path}/namespaces/{_segment(namespace or '', f'the namespace of a {kind}')}/{known.plural}"


def _segment(value: str, what: str) -> str:
    """``value`` as one URL path segment.

    The API server refuses such names too, but only after it has routed the URL.
    """
    if not value or value in {".", ".."} or "/" in value or "%" in value or not value.isprintable() or len(value) > 253:
        raise Invalid(f"{value[:80]!r} cannot be {what}.")
    return quote(value, safe="")


def _collection_name(kind: str, namespace: str | None) -> str:
    return f"{kind}/{namespace}" if namespace else kind


def _write_query(dry_run: bool, manager: str = MANAGER) -> Query:
    return (("fieldManager", manager), *([("dryRun", "All")] if dry_run else []))


def _some(**values: object) -> Query:
    return tuple((name, str(value)) for name, value in values.items() if value not in (None, ""))


def _body(value: object) -> bytes:
    return orjson.dumps(value)
