"""Completion of applications and tasks in a shell: the server is asked, for a second at most, and silently."""

import os
from collections.abc import Callable, Iterable
from typing import Any

import typer

from kubemin.client.errors import KubeminError
from kubemin.client.sync import Client
from kubemin.spec.names import DEFAULT_NAMESPACE, shown

_SECONDS = 1.0
_MANY = 200


def applications(ctx: typer.Context, incomplete: str) -> list[str]:
    """Applications whose name begins so: ``name`` in the namespace ``default``, else with what is before it."""
    return _begun(_asked(ctx, _applications), incomplete)


def tasks(ctx: typer.Context, incomplete: str) -> list[str]:
    """Applications, and ids of the newest tasks, that begin so."""
    return _begun(_asked(ctx, lambda client: [*_applications(client), *_tasks(client)]), incomplete)


def _applications(client: Client) -> Iterable[str]:
    for one in client.applications(page=1, page_size=_MANY)["applications"]:
        yield shown(one["cluster"], one["namespace"], one["name"]).removeprefix(f"{DEFAULT_NAMESPACE}/")


def _tasks(client: Client) -> Iterable[str]:
    return [one["taskId"] for one in client.tasks(page_size=_MANY)["tasks"]]


def _asked(ctx: typer.Context, ask: Callable[[Client], Iterable[str]]) -> Iterable[str]:
    from kubemin.cli.connection import DEFAULT_SERVER, Connection
    from kubemin.cli.exits import CliError

    server = _given(ctx, "server") or os.environ.get("KUBEMIN_SERVER") or DEFAULT_SERVER
    to = Connection(server, _given(ctx, "token") or os.environ.get("KUBEMIN_TOKEN"))
    try:
        with to.client().asking(_SECONDS) as client:
            return list(ask(client))
    except (CliError, KubeminError, KeyError, TypeError, ValueError):  # nothing is said into somebody's line
        return []


def _given(ctx: typer.Context, name: str) -> str | None:
    value: Any = ctx.params.get(name)
    return value if isinstance(value, str) else None


def _begun(names: Iterable[str], incomplete: str) -> list[str]:
    return [name for name in dict.fromkeys(names) if name.startswith(incomplete)]
