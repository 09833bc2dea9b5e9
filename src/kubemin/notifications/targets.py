"""The targets, as the operator names them: whom to tell what, and how.

What is secret (keys, tokens, an address that has a token in it) is in no message of an error, and in no representation.
"""

import re
from functools import lru_cache
from pathlib import Path
from string import Formatter
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    TypeAdapter,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic.alias_generators import to_camel

from kubemin.notifications.signing import BadSecret, key_of
from kubemin.spec.characters import has_unseen
from kubemin.spec.names import DEFAULT_CLUSTER, shown

Kind = Literal["completed", "failed", "timeout", "cancelled", "incomplete", "abandoned", "cleaned", "drift"]
KINDS: dict[str, Kind] = {
    "task.completed": "completed",
    "task.failed": "failed",
    "task.timeout": "timeout",
    "task.cancelled": "cancelled",
    "cleanup.incomplete": "incomplete",
    "cleanup.abandoned": "abandoned",
    "cleanup.done": "cleaned",
    "drift.began": "drift",
    "drift.ended": "drift",
}
"""By type of message: what ``on`` calls it."""
FIELDS = (
    "type", "timestamp", "id", "title", "application", "cluster", "namespace", "name", "project", "taskId", "appId",
    "kind", "revision", "status", "reason", "reasonCode", "cleanup", "remaining", "user", "cancelledBy", "url",
)  # fmt: skip
"""What a ``json`` template may name."""
_NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_STATUSES = ("github-status", "gitlab-status")


class ConfigurationError(ValueError):
    """The targets cannot be used as they are given; the message says which one, and why."""


def _is_name(text: str) -> str:
    if not _NAME.fullmatch(text):
        raise ValueError("a name has at most 63 lower-case letters, digits and hyphens")
    return text


class Target(BaseModel):
    """Whom to tell, what, and how."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", alias_generator=to_camel, validate_by_name=False, hide_input_in_errors=True
    )

    name: Annotated[str, AfterValidator(_is_name)]
    template: Literal["standard", "slack", "json", "github-status", "gitlab-status"] = "standard"
    url: SecretStr | None = None
    url_file: Path | None = None
    """A file with the address, where that is a secret."""
    secret: SecretStr | list[SecretStr] | None = None
    """``whsec_…`` in base64; several while one replaces another."""
    secret_file: Path | None = None
    """A file with one secret a line, read for each message."""
    token: SecretStr | None = None
    token_file: Path | None = None
    body: Any = None
    """Of ``json``: what is sent, with ``{field}`` in its texts."""
    on: list[Kind] = Field(default_factory=lambda: list(dict.fromkeys(KINDS.values())))
    clusters: list[str] = []
    namespaces: list[str] = []
    projects: list[str] = []
    applications: list[str] = []
    """Names, ``namespace~name`` in the cluster ``default``, or ``cluster~namespace~name``."""
    repositories: list[str] = []
    """Of commit statuses: those that may get one; none: all that the token may write to."""
    context: str = Field(default="kubemin", min_length=1, max_length=100)
    """Of commit statuses: what the status is called."""
    public_only: bool = False
    """Connect to public addresses only."""

    @field_validator("url", "url_file", "secret_file", "token_file", mode="before")
    @classmethod
    def _given(cls, value: Any) -> Any:
        if value == "":
            raise ValueError("is empty")
        return value

    @model_validator(mode="after")
    def _fits(self) -> "Target":
        for one in ("url", "secret", "token"):
            if getattr(self, one) is not None and getattr(self, f"{one}_file") is not None:
                raise ValueError(f"{one} and {one}File exclude each other")
        if self.url is None and self.url_file is None:
            raise ValueError("url or urlFile says where it is sent")
        if self.url is not None:
            check_url(self.url.get_secret_value())
        for given in self._secrets():
            key_of(given)
        self._fits_template()
        return self

    def _fits_template(self) -> None:
        is_status, signs = self.template in _STATUSES, self.secret is not None or self.secret_file is not None
        has_token = self.token is not None or self.token_file is not None
        if is_status and not has_token:
            raise ValueError(f"template {self.template} needs token or tokenFile")
        if has_token and not is_status:
            raise ValueError("token is for github-status and gitlab-status")
        if self.template == "standard" and not signs:
            raise ValueError("template standard needs secret or secretFile: messages are signed")
        if signs and self.template not in ("standard", "json"):
            raise ValueError(f"template {self.template} signs nothing: leave secret out")
        if (self.template == "json") != (self.body is not None):
            raise ValueError("template json needs body, and no other one has it")
        if not is_status and (self.repositories or "context" in self.model_fields_set):
            raise ValueError("repositories and context are for github-status and gitlab-status")
        if is_status and "on" in self.model_fields_set:
            raise ValueError(f"template {self.template} follows each task with a commit from its begin: leave on out")
        check_fields(self.body)

    def _secrets(self) -> list[str]:
        given = self.secret
        return [one.get_secret_value() for one in (given if isinstance(given, list) else [given] if given else [])]

    @property
    def is_status(self) -> bool:
        """Whether it gets statuses of commits."""
        return self.template in _STATUSES

    def address(self) -> str:
        """Where it is sent. Raises `ConfigurationError`."""
        if self.url is not None:
            return self.url.get_secret_value()
        assert self.url_file is not None
        text = _read(self.url_file, "urlFile").strip()
        try:
            check_url(text)
        except ValueError as error:
            raise ConfigurationError(f"urlFile: {error}") from None
        return text

    def keys(self) -> list[bytes]:
        """What a message is signed with. Raises `ConfigurationError`."""
        given = self._secrets()
        if self.secret_file is not None:
            given = _read(self.secret_file, "secretFile").split()
            if not given:
                raise ConfigurationError("secretFile: is empty")
        try:
            return [key_of(one) for one in given]
        except BadSecret as error:
            raise ConfigurationError(f"secretFile: {error}") from None

    def bearer(self) -> str:
        """The token. Raises `ConfigurationError`."""
        text = self.token.get_secret_value() if self.token is not None else ""
        if self.token_file is not None:
            text = _read(self.token_file, "tokenFile").strip()
        if not text or has_unseen(text) or not text.isascii():
            raise ConfigurationError("the token is empty, or has characters that no token has")
        return text

    def wants(self, kind: str, data: dict[str, Any]) -> bool:
        """Whether it is to be told."""
        if self.is_status:
            commit = data.get("commit")
            if not kind.startswith("task.") or not commit:
                return False
            if self.repositories and commit["repository"] not in self.repositories:
                return False
        elif KINDS.get(kind) not in self.on:
            return False
        cluster, namespace, name = (data.get(field) or "" for field in ("cluster", "namespace", "name"))
        cluster = cluster or DEFAULT_CLUSTER
        addresses = {f"{cluster}~{namespace}~{name}", shown(cluster, namespace, name).replace("/", "~")}
        return (
            _fits(self.clusters, cluster)
            and _fits(self.namespaces, namespace)
            and _fits(self.projects, data.get("project") or "")
            and _fits(self.applications, name, *addresses)
        )


def _fits(wanted: list[str], *found: str) -> bool:
    return not wanted or any(one in wanted for one in found)


def _read(path: Path, field: str) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise ConfigurationError(f"{field} {path} cannot be read: {why}") from None


def check_url(text: str) -> None:
    """Raise `ValueError`, which does not repeat it, where it is no address to send to."""
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        raise ValueError("url is no URL") from None
    if parts.scheme not in ("http", "https") or not parts.hostname or has_unseen(text) or " " in text:
        raise ValueError("url is no http:// or https:// URL with a host")
    if parts.username is not None or parts.fragment:
        raise ValueError("url may have neither a user nor a fragment")


def check_fields(body: Any) -> None:
    """Raise `ValueError` where a template names a field that there is not."""
    match body:
        case dict():
            for key, value in body.items():
                if not isinstance(key, str):
                    raise ValueError("body: a key is no text")
                check_fields(value)
        case list():
            for value in body:
                check_fields(value)
        case str():
            try:
                parts = list(Formatter().parse(body))
            except ValueError as error:
                raise ValueError(f"body: {error}; write {{{{ for a brace") from None
            for _, field, spec, conversion in parts:
                if field is not None and (field not in FIELDS or spec or conversion):
                    raise ValueError(f"body: there is no field {{{field}}}; there are {', '.join(FIELDS)}")


def parse_targets(text: str) -> tuple[Target, ...]:
    """The targets of a file, or of the setting itself. Raises `ConfigurationError`, which repeats no value."""
    return _parsed(text)


@lru_cache(maxsize=4)
def _parsed(text: str) -> tuple[Target, ...]:
    from kubemin.spec.text import ParseError, parse

    if not text.strip():
        return ()
    try:
        documents = parse(text)
    except ParseError as error:
        raise ConfigurationError(f"no YAML: {error}") from None
    if len(documents) != 1 or not isinstance(documents[0], list):
        raise ConfigurationError("it is no list of targets")
    try:
        targets = TypeAdapter(list[Target]).validate_python(documents[0])
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise ConfigurationError(f"target {place}: {first['msg'].removeprefix('Value error, ')}") from None
    names = [one.name for one in targets]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise ConfigurationError(f"two targets are called {twice}")
    return tuple(targets)
