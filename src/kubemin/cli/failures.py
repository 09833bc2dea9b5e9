"""What the server refuses, or what keeps it from answering, as a command says it."""

from typing import Any

from kubemin.cli.exits import CliError, Exit
from kubemin.cli.language import tr
from kubemin.client.errors import Denied, KubeminError, ServerLost, Unauthorized, Unavailable

_TASK_NOT_FOUND = 20006


class Failure(CliError):
    """An error of the client. ``LOST``: there was no answer, and the same may be asked again."""

    def __init__(self, error: KubeminError) -> None:
        super().__init__(error.message + _hint(error), _exit(error))
        self._error = error

    @property
    def business_code(self) -> int:
        """The server's; 0 where it said none."""
        return self._error.code

    def to_json(self) -> dict[str, Any]:
        """With what the server said."""
        code = {"code": self._error.code} if self._error.code else {}
        return {**super().to_json(), **code, **({"errors": self._error.fields} if self._error.fields else {})}


def _exit(error: KubeminError) -> Exit:
    if isinstance(error, Denied):
        return Exit.DENIED
    return Exit.LOST if isinstance(error, Unavailable) else Exit.FAILED


def _hint(error: KubeminError) -> str:
    if isinstance(error, ServerLost) and not error.sent:
        return "; start one with `kubemin dev`, or name it with --server"
    if isinstance(error, Unauthorized):
        return " " + tr(
            "`kubemin login` logs in; or give a token with --token or KUBEMIN_TOKEN. `kubemin token create --local` "
            "makes the first one."
        )
    return " `kubemin tasks` lists them." if error.code == _TASK_NOT_FOUND else ""
