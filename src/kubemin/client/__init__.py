"""The client of KubeMin's HTTP API (docs/client.md).

    with Client("http://127.0.0.1:8000") as client, client.deploy(application) as run:
        print(run.wait().status)

`Client` is for threads and scripts, `AsyncClient` for asyncio. What is not used is not imported.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from kubemin.client.errors import (
    Busy,
    ClusterUnreachable,
    Conflict,
    Denied,
    Invalid,
    KubeminError,
    NotCompleted,
    NotFound,
    NotKubemin,
    PlanChanged,
    Refused,
    ServerFault,
    ServerLost,
    SignalFailed,
    TaskActive,
    TaskEnded,
    Unavailable,
)

if TYPE_CHECKING:
    from kubemin.client.aio import AsyncClient
    from kubemin.client.aio_run import AsyncRun
    from kubemin.client.options import RunOptions
    from kubemin.client.patience import Patience
    from kubemin.client.result import Result
    from kubemin.client.sync import Client
    from kubemin.client.sync_run import Run

__all__ = [
    "AsyncClient",
    "AsyncRun",
    "Busy",
    "Client",
    "ClusterUnreachable",
    "Conflict",
    "Denied",
    "Invalid",
    "KubeminError",
    "NotCompleted",
    "NotFound",
    "NotKubemin",
    "Patience",
    "PlanChanged",
    "Refused",
    "Result",
    "Run",
    "RunOptions",
    "ServerFault",
    "ServerLost",
    "SignalFailed",
    "TaskActive",
    "TaskEnded",
    "Unavailable",
]

_LATER = {
    "AsyncClient": "aio",
    "AsyncRun": "aio_run",
    "Client": "sync",
    "Patience": "patience",
    "Result": "result",
    "Run": "sync_run",
    "RunOptions": "options",
}
"""What is imported as it is first asked for, and from where."""


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(name)
    return getattr(import_module(f"{__name__}.{_LATER[name]}"), name)
