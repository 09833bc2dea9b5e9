"""A request for a resource, read as far as no object is needed for it: its options and its body."""

from dataclasses import dataclass
from typing import Any

from kubesim.custom.resource import CustomResource
from kubesim.deletion import DeleteOptions, parse_dry_run
from kubesim.jsondata import Object, load_json
from kubesim.negotiation import decode, decode_yaml
from kubesim.problems import Problem, bad_option, bad_request
from kubesim.routing import Target
from kubesim.verbs import APPLY, JSON_PATCH, MERGE_PATCH, STRATEGIC_MERGE_PATCH, Guard, Write
from kubesim.views import incoming

_PATCH_TYPES = (JSON_PATCH, MERGE_PATCH, STRATEGIC_MERGE_PATCH, APPLY)
_OPTIONS = {"POST": "CreateOptions", "PUT": "UpdateOptions", "PATCH": "PatchOptions"}
_VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete", "GET": "get"}
_MANAGER_LENGTH = 128


@dataclass(frozen=True, slots=True)
class Call:
    """What a client asks for."""

    method: str
    target: Target
    query: dict[str, str]
    accept: str | None = None
    content_type: str = ""
    agent: str = ""
    body: bytes = b""
    guard: Guard | None = None
    """What its write is to ask first, if anything."""

    @property
    def watches(self) -> bool:
        """Whether the answer is to be a stream of events."""
        return self.method == "GET" and is_true(self.query.get("watch", ""))

    @property
    def verb(self) -> str:
        """The verb as RBAC names it, but that an apply is not a patch."""
        if self.watches:
            return "watch"
        verb = _VERBS.get(self.method, self.method.lower())
        if not self.target.name and verb in ("get", "delete"):
            return "list" if verb == "get" else "deletecollection"
        return "apply" if verb == "patch" and self.media_type == APPLY else verb

    @property
    def media_type(self) -> str:
        """The content type without its parameters."""
        return self.content_type.partition(";")[0].strip()

    def write(self) -> Write:
        """How the write is to be done. 422 for options that make no sense."""
        kind = _OPTIONS[self.method]
        validation = self.query.get("fieldValidation") or "Warn"
        if validation not in ("Ignore", "Warn", "Strict"):
            raise bad_option(
                kind,
                "fieldValidation",
                "FieldValueNotSupported",
                f'Unsupported value: "{validation}": supported values: "", "Ignore", "Strict", "Warn"',
            )
        manager = self.query.get("fieldManager", "")
        if len(manager) > _MANAGER_LENGTH:
            why = f"Too long: may not be more than {_MANAGER_LENGTH} bytes"
            raise bad_option(kind, "fieldManager", "FieldValueTooLong", why)
        for position, letter in enumerate(manager):
            if not letter.isprintable():
                why = f'Invalid value: "{manager}": invalid character U+{ord(letter):04X} (at position {position})'
                raise bad_option(kind, "fieldManager", "FieldValueInvalid", why)
        if not manager:
            agent = self.agent.partition("/")[0]
            manager = "".join(letter for letter in agent if letter.isprintable())[:_MANAGER_LENGTH] or "unknown"
        dry_run = parse_dry_run([self.query["dryRun"]] if self.query.get("dryRun") else (), kind)
        return Write(manager, dry_run, validation, self.target.subresource, [], self.guard)

    def object(self) -> Object:
        """The body as an object."""
        kind = self.target.resource.kind
        body = decode(self.body, self.content_type, kind)
        if not isinstance(body, dict):
            raise bad_request(
                f"the object provided is unrecognized (must be of type {kind}): couldn't get version/kind; "
                "json parse error: json: cannot unmarshal it into Go value of type struct"
            )
        return incoming(self.target.resource, body)

    def patch(self) -> tuple[Any, bool]:
        """The body as a patch, and whether it is forced. 415 for a content type that is none of the four."""
        custom = isinstance(self.target.resource, CustomResource)
        accepted = [kind for kind in _PATCH_TYPES if not (custom and kind == STRATEGIC_MERGE_PATCH)]
        if self.media_type not in accepted:
            raise Problem(
                415,
                "UnsupportedMediaType",
                "the body of the request was in an unknown format - accepted media types include: "
                + ", ".join(accepted),
            )
        force = is_true(self.query.get("force", ""))
        if self.media_type == APPLY:
            if not self.query.get("fieldManager"):
                why = "Required value: is required for apply patch"
                raise bad_option("PatchOptions", "fieldManager", "FieldValueRequired", why)
            return decode_yaml(self.body, self.target.resource.kind), force
        if "force" in self.query:
            why = "Forbidden: may not be specified for non-apply patch"
            raise bad_option("PatchOptions", "force", "FieldValueForbidden", why)
        try:
            return load_json(self.body), False
        except (ValueError, RecursionError) as error:
            raise bad_request(f"error decoding patch: {error}") from None

    def delete_options(self) -> DeleteOptions:
        """How to delete: what the body says or, without one, the query."""
        if self.body:
            body = decode(self.body, self.content_type, "DeleteOptions")
            if not isinstance(body, dict) or body.get("kind", "DeleteOptions") != "DeleteOptions":
                raise bad_request("decoded object cannot be converted to DeleteOptions")
            return DeleteOptions.parse(body)
        query = self.query
        options: Object = {}
        if "propagationPolicy" in query:
            options["propagationPolicy"] = query["propagationPolicy"]
        if "orphanDependents" in query:
            options["orphanDependents"] = is_true(query["orphanDependents"])
        if "gracePeriodSeconds" in query:
            options["gracePeriodSeconds"] = _integer(query["gracePeriodSeconds"])
        if query.get("dryRun"):
            options["dryRun"] = [query["dryRun"]]
        return DeleteOptions.parse(options)


def is_true(text: str) -> bool:
    """Read a boolean of a query."""
    return text.lower() in ("true", "1")


def _integer(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise bad_request(f'strconv.ParseInt: parsing "{text}": invalid syntax') from None
