"""Lists: pages that all show the same moment, and the meaning of a resourceVersion in a list request."""

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass

from kubesim.jsondata import Object
from kubesim.problems import Problem, bad_option, bad_request, expired
from kubesim.resources import Resource
from kubesim.selectors import Matcher, both, field_matcher, label_matcher
from kubesim.storage import Entry, Expired, Key, Storage


@dataclass(frozen=True, slots=True)
class Page:
    """What a list request answers: entries, and the metadata of the list."""

    entries: list[Entry]
    meta: Object


def selection(resource: Resource, query: Mapping[str, str]) -> Matcher | None:
    """The selectors of a query."""
    return both(label_matcher(query.get("labelSelector", "")), field_matcher(resource, query.get("fieldSelector", "")))


def revision_of(text: str) -> int:
    """Read a resourceVersion of a query."""
    if not text.isdecimal():
        # No error of the API's: the server's storage finds it, and the server passes on what it does not know as 500.
        why = f'strconv.ParseUint: parsing "{text}": invalid syntax'
        raise Problem(500, "", f'resourceVersion: Invalid value: "{text}": {why}')
    return int(text)


def list_option(field: str, reason: str, message: str) -> Problem:
    """422 for an option of a list or a watch."""
    return bad_option("ListOptions", field, reason, message)


def list_page(storage: Storage, resource: Resource, namespace: str, query: Mapping[str, str]) -> Page:
    """Answer a list request."""
    limit = _limit(query.get("limit", ""))
    match = query.get("resourceVersionMatch", "")
    version = query.get("resourceVersion", "")
    start: Key | None = None
    revision = storage.revision
    if token := query.get("continue", ""):
        if match:
            raise list_option(
                "resourceVersionMatch",
                "FieldValueForbidden",
                "Forbidden: resourceVersionMatch is forbidden when continue is provided",
            )
        if version not in ("", "0"):
            raise bad_request("specifying resource version is not allowed when using continue")
        asked, start = _decode_token(token)
        revision = revision if asked < 0 else asked
    elif match:
        revision = _matched(match, version, storage.revision)
    elif version:
        _require(revision_of(version), storage.revision)
    items = _items_at(storage, resource, namespace, revision, token, start)
    if start is not None:
        items = [item for item in items if item[0] > start]
    if (matcher := selection(resource, query)) is not None:
        items = [item for item in items if matcher(item[1].obj)]
    meta: Object = {"resourceVersion": str(revision)}
    if limit and len(items) > limit:
        meta["continue"] = _encode_token(revision, items[limit - 1][0])
        if matcher is None:
            meta["remainingItemCount"] = len(items) - limit
        items = items[:limit]
    return Page([entry for _, entry in items], meta)


def _limit(text: str) -> int:
    if not text:
        return 0
    try:
        return max(0, int(text))
    except ValueError:
        raise bad_request(f'strconv.ParseInt: parsing "{text}": invalid syntax') from None


def _matched(match: str, version: str, current: int) -> int:
    """The revision that a list with resourceVersionMatch shows."""
    if match not in ("Exact", "NotOlderThan"):
        raise list_option(
            "resourceVersionMatch",
            "FieldValueNotSupported",
            f'Unsupported value: "{match}": supported values: "Exact", "NotOlderThan"',
        )
    if not version:
        raise list_option(
            "resourceVersionMatch",
            "FieldValueForbidden",
            "Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided",
        )
    wanted = revision_of(version)
    if match == "Exact" and wanted == 0:
        raise list_option(
            "resourceVersionMatch",
            "FieldValueForbidden",
            'Forbidden: resourceVersionMatch "exact" is forbidden for resourceVersion "0"',
        )
    _require(wanted, current)
    return wanted if match == "Exact" else current


def _require(wanted: int, current: int) -> None:
    if wanted > current:
        message = f"Too large resource version: {wanted}, current: {current}"
        raise Problem(
            504,
            "Timeout",
            f"Timeout: {message}",
            details={"retryAfterSeconds": 1},
            causes=[{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}],
        )


def _items_at(
    storage: Storage, resource: Resource, namespace: str, revision: int, token: str, start: Key | None
) -> list[tuple[Key, Entry]]:
    shelf = storage.shelf(resource.key)
    if revision == storage.revision:
        return shelf.items(namespace or None)
    try:
        return shelf.items_at(revision, namespace or None)
    except Expired as error:
        if not token or start is None:
            raise expired(f"The resourceVersion for the provided list is too old: {error.revision}") from None
        # The client may go on from here with what is there now, if it says that it knows.
        raise expired(
            "The provided continue parameter is too old to display a consistent list result. You can start a new list "
            "without the continue parameter, or use the continue token in this response to retrieve the remainder of "
            "the results. Continuing with the provided token results in an inconsistent list - objects that were "
            "created, modified, or deleted between the time the first chunk was returned and now may show up in the "
            "list.",
            list_meta={"continue": _encode_token(-1, start)},
        ) from None


def _encode_token(revision: int, last: Key) -> str:
    token = json.dumps({"v": "meta.k8s.io/v1", "rv": revision, "start": "/".join(last)})
    return base64.urlsafe_b64encode(token.encode()).decode().rstrip("=")


def _decode_token(text: str) -> tuple[int, Key]:
    try:
        token = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        namespace, _, name = token["start"].partition("/")
        return int(token["rv"]), (namespace, name)
    except (ValueError, KeyError, TypeError, AttributeError, binascii.Error):
        raise bad_request("continue key is not valid: invalid character") from None
