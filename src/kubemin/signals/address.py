"""Where Redis is: one server, a set of Sentinels, or a Cluster. The URL's scheme says which.

========================================================== =======================================================
``redis://[[user]:password@]host[:6379][/db]``             one server (Redis ≥ 6 or Valkey); ``rediss://`` with TLS
``unix://[[user]:password@]/path/to.sock``                 one server, by its socket
``redis+sentinel://[…@]host[:26379],host…/service[/db]``   the service's master; ``rediss+sentinel://`` with TLS
``redis+cluster://[…@]host[:6379],host…``                  a Cluster, found from any node; ``rediss+cluster://``
========================================================== =======================================================

The query takes some of redis-py's connection options (`PARAMETERS`), among them, for Sentinels that ask for credentials
of their own, ``sentinel_username`` and ``sentinel_password``. Name and password are percent-encoded.
"""

import re
from dataclasses import dataclass, field
from typing import Any, Literal, Self
from urllib.parse import SplitResult, parse_qsl, urlencode, urlsplit

from redis.asyncio.connection import SSLConnection, parse_url

from kubemin.signals.errors import BadUrl

_FORMS = "redis://, rediss://, unix://, redis+sentinel://, rediss+sentinel://, redis+cluster:// or rediss+cluster://"

_SECONDS = re.compile(r"[0-9]{1,6}(\.[0-9]{1,6})?")
_NUMBER = re.compile(r"[0-9]{1,6}")
_TEXT = re.compile(r"[^\0\s]+")
PARAMETERS = {
    "db": _NUMBER,
    "socket_timeout": _SECONDS,
    "socket_connect_timeout": _SECONDS,
    "health_check_interval": _NUMBER,
    "client_name": _TEXT,
    "ssl_ca_certs": _TEXT,
    "ssl_ca_path": _TEXT,
    "ssl_certfile": _TEXT,
    "ssl_keyfile": _TEXT,
    "ssl_cert_reqs": re.compile("none|optional|required"),
    "ssl_check_hostname": re.compile("true|false"),
    "sentinel_username": _TEXT,
    "sentinel_password": re.compile(r"[^\0]+"),
}
"""What a URL may hold after its ``?``, and the values: redis-py would pass others on to who knows them not."""


@dataclass(frozen=True, slots=True)
class Address:
    """A parsed URL. ``str()`` names the servers, without user and password."""

    form: Literal["single", "sentinel", "cluster"]
    hosts: tuple[tuple[str, int], ...]
    service: str
    options: dict[str, Any] = field(repr=False)
    sentinel_options: dict[str, Any] = field(repr=False)

    @classmethod
    def parse(cls, url: str) -> Self:
        """Parse a URL. Raises BadUrl; its message does not contain the URL."""
        try:
            return cls._parse(url)
        except ValueError:
            # The parser's message quotes the part that it could not read, which may be a password.
            raise BadUrl(
                f"The Redis URL is not valid; its form is {_FORMS}, and after a ? it may have {', '.join(PARAMETERS)}."
            ) from None

    @classmethod
    def _parse(cls, url: str) -> Self:
        scheme, _, rest = url.partition("://")
        protocol, _, form = scheme.partition("+")
        if form not in ("", "sentinel", "cluster") or protocol not in ("redis", "rediss", "unix") or not rest:
            raise ValueError(scheme)
        authority, slash, tail = rest.partition("/")
        credentials, at, hosts = authority.rpartition("@")
        service = ""
        if form == "sentinel":
            path, question, query = tail.partition("?")
            service, slash, db = path.partition("/")
            tail = db + question + query
            if not service:
                raise ValueError("service")
        # redis-py parses all but the list of hosts, which only KubeMin has.
        first = hosts.split(",")[0] if form else hosts
        options: dict[str, Any] = dict(
            parse_url(_without_sentinel(f"{protocol}://{credentials}{at}{first}{slash}{tail}"))
        )
        if options.pop("connection_class", None) is SSLConnection:
            options["ssl"] = True
        elif protocol == "unix":
            options["unix_socket_path"] = options.pop("path")
        host, port = options.pop("host", "localhost"), options.pop("port", 26379 if form == "sentinel" else 6379)
        others = [_host_and_port(other, 26379 if form == "sentinel" else 6379) for other in hosts.split(",")[1:]]
        asked = dict(parse_qsl(urlsplit(url).query))
        _check(urlsplit(url), tls=protocol == "rediss", form=form, path=protocol == "unix")
        sentinel: dict[str, Any] = {
            key: asked[f"sentinel_{key}"] for key in ("username", "password") if f"sentinel_{key}" in asked
        }
        if options.get("ssl"):
            sentinel |= {key: value for key, value in options.items() if key.startswith("ssl")}
        known: dict[str, Literal["single", "sentinel", "cluster"]] = {"sentinel": "sentinel", "cluster": "cluster"}
        return cls(known.get(form, "single"), ((host, port), *others), service, options, sentinel)

    def __str__(self) -> str:
        path = self.options.get("unix_socket_path")
        hosts = str(path) if path else ",".join(f"{host}:{port}" for host, port in self.hosts)
        return f"{hosts} ({self.service})" if self.service else hosts


def _host_and_port(text: str, default: int) -> tuple[str, int]:
    parts = urlsplit(f"redis://{text}")
    if not parts.hostname:
        raise ValueError("host")
    return parts.hostname, parts.port or default


def _without_sentinel(url: str) -> str:
    """The URL without the options for Sentinels: redis-py would pass them to each connection, which refuses them."""
    base, question, query = url.partition("?")
    kept = [(key, value) for key, value in parse_qsl(query) if not key.startswith("sentinel_")]
    return base + (question + urlencode(kept) if kept else "")


def _check(parts: SplitResult, *, tls: bool, form: str, path: bool) -> None:
    """Raise ValueError for parameters that redis-py does not know, or would take amiss."""
    given = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query))
    names = [name for name, _ in given]
    if len(set(names)) < len(names):
        raise ValueError("given twice")
    for name, value in given:
        if (name.startswith("ssl_") and not tls) or (name.startswith("sentinel_") and form != "sentinel"):
            raise ValueError(name)
        if name not in PARAMETERS or not PARAMETERS[name].fullmatch(value):
            raise ValueError(name)
    database = parts.path.strip("/") if form != "sentinel" else parts.path.strip("/").partition("/")[2]
    if database and not path and not _NUMBER.fullmatch(database):
        raise ValueError("database")
