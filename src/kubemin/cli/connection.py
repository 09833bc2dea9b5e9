"""The server that a command asks, and how the command answers."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kubemin.cli.exits import CliError, Exit
from kubemin.cli.output import Output

if TYPE_CHECKING:
    from kubemin.client import Client

DEFAULT_SERVER = "http://127.0.0.1:8000"


@dataclass(frozen=True)
class Connection:
    """What the options of a command say of it."""

    server: str
    token: str | None
    output: Output = field(default_factory=Output)

    def client(self) -> "Client":
        """To ask the server, with the token that is given, else by the login that is kept for it.

        Requests belong to the trace that the command is run for, if there is one. Raises :class:`CliError` where that
        is no address, or what is kept cannot be used.
        """
        from kubemin.cli.login import kept_for
        from kubemin.client.sync import Client

        try:
            return Client(self.server, self.token or kept_for(self.server), traceparent=_trace(os.environ))
        except ValueError as error:
            raise CliError(str(error), Exit.USAGE) from error


def _trace(environment: Mapping[str, str]) -> str | None:
    """The span of whoever runs the command, as CI systems name it; what names none is passed over."""
    from kubemin.client.tracing import is_traceparent

    given = environment.get("TRACEPARENT", "")
    return given if is_traceparent(given) else None
