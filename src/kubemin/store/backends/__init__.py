"""The databases that KubeMin runs on."""

import importlib

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from kubemin.store.backends.base import Backend, ConnectionLimits, DbConnection, Hook, Pool
from kubemin.store.errors import BadUrl

__all__ = ["Backend", "ConnectionLimits", "DbConnection", "Hook", "Pool", "backend_of"]

_BACKENDS = {
    "sqlite": ("sqlite", "Sqlite", ()),
    "postgresql": ("postgresql", "Postgresql", ()),
    "postgres": ("postgresql", "Postgresql", ()),
    "mysql": ("mysql", "Mysql", ("mysql+asyncmy",)),
    "mariadb": ("mysql", "Mysql", ("mariadb+asyncmy",)),
}


def backend_of(text: str) -> tuple[Backend, URL]:
    """The backend that a plain URL names. Raises `BadUrl`; the message never holds the URL's password."""
    try:
        url = make_url(text)
    except (ArgumentError, ValueError) as error:
        raise BadUrl("the database URL cannot be read; write it like postgresql://user@host/database") from error
    if url.drivername not in _BACKENDS:
        raise BadUrl(f"a {url.drivername}: database is not supported; use sqlite, postgresql, mysql or mariadb")
    module, name, arguments = _BACKENDS[url.drivername]
    try:
        backend: Backend = getattr(importlib.import_module(f"{__name__}.{module}"), name)(*arguments)
    except ModuleNotFoundError as error:
        raise BadUrl(
            f"the driver is not installed: pip install 'kubemin[{module}]' ({error.name} is missing)"
        ) from error
    return backend, url
