"""The databases that KubeMin runs on."""

import importlib
import re
from collections.abc import Mapping

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from kubemin.store.backends.base import Answer, Backend, ConnectionLimits, DbConnection, Hook, Pool
from kubemin.store.errors import BadUrl

__all__ = ["Answer", "Backend", "ConnectionLimits", "DbConnection", "Hook", "Pool", "backend_of"]

_BACKENDS = {
    "sqlite": ("sqlite", "Sqlite", ()),
    "postgresql": ("postgresql", "Postgresql", ()),
    "postgres": ("postgresql", "Postgresql", ()),
    "mysql": ("mysql", "Mysql", ("mysql+asyncmy",)),
    "mariadb": ("mysql", "Mysql", ("mariadb+asyncmy",)),
}


_PATH = re.compile(r"[^\0]+")
PARAMETERS: Mapping[str, Mapping[str, re.Pattern[str]]] = {
    "sqlite": {},
    "postgresql": {
        "sslmode": re.compile("disable|allow|prefer|require|verify-ca|verify-full"),
        "host": _PATH,
    },
    "mysql": {
        "ssl_ca": _PATH,
        "ssl_cert": _PATH,
        "ssl_key": _PATH,
        "ssl_check_hostname": re.compile("true|false"),
        "unix_socket": _PATH,
    },
}
"""What a URL may hold after its ``?``: by module, each parameter and its values."""


def backend_of(text: str) -> tuple[Backend, URL]:
    """The backend that a plain URL names. Raises `BadUrl`; the message never holds the URL's password."""
    try:
        url = make_url(text)
    except (ArgumentError, ValueError) as error:
        raise BadUrl("the database URL cannot be read; write it like postgresql://user@host/database") from error
    if url.drivername not in _BACKENDS:
        raise BadUrl(f"a {url.drivername}: database is not supported; use sqlite, postgresql, mysql or mariadb")
    module, name, arguments = _BACKENDS[url.drivername]
    _check(url, PARAMETERS[module])
    try:
        backend: Backend = getattr(importlib.import_module(f"{__name__}.{module}"), name)(*arguments)
    except ModuleNotFoundError as error:
        raise BadUrl(
            f"the driver is not installed: pip install 'kubemin[{module}]' ({error.name} is missing)"
        ) from error
    return backend, url


def _check(url: URL, known: Mapping[str, re.Pattern[str]]) -> None:
    """Raise `BadUrl` for what the driver would take amiss. What is wrong is not repeated: it may be of a password."""
    if url.port is not None and not 0 < url.port < 65536:
        raise BadUrl("the port in the database URL is not one")
    if "," in (url.host or "") or "," in str(url.query.get("host", "")) or isinstance(url.query.get("host"), tuple):
        raise BadUrl("the database URL names several hosts; name one address that leads to the primary")
    for name, value in url.query.items():
        if name not in known:
            allowed = f"this kind of database takes {', '.join(known)}" if known else "this kind of database takes none"
            raise BadUrl(f"the database URL has a parameter after its ? that is not known; {allowed}")
        if not isinstance(value, str):
            raise BadUrl(f"the database URL has the parameter {name} more than once")
        if not known[name].fullmatch(value):
            raise BadUrl(f"the database URL has a parameter {name} whose value is not allowed")
