"""What a server answers on its second port: health and metrics, to whoever asks, under whatever host.

A kubelet and a Prometheus ask for the address of a Pod, which nobody knows before, and have no token. Nothing of it is
secret, and nothing else is there, so this port may be open where the API's is not.
"""

from starlette.types import ASGIApp, Receive, Scope, Send

from kubemin.api.app import routes
from kubemin.api.codes import ApiCode
from kubemin.api.deps import PRINCIPAL, Deps, GivenDeps
from kubemin.api.envelope import ApiError
from kubemin.identity.principal import SYSTEM

_PATHS = frozenset({"/healthz", "/readyz", "/metrics"})


def create_health_app(deps: Deps) -> ASGIApp:
    """The ASGI application of the port: three routes of the API, to be read."""
    api = GivenDeps(routes(), deps)

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] in _PATHS and scope["method"] in ("GET", "HEAD"):
            scope[PRINCIPAL] = SYSTEM  # who may reach the port may read it
            await api(scope, receive, send)
        else:
            message = "This port has only /healthz, /readyz and /metrics."
            await ApiError(404, ApiCode.NOT_FOUND, message).response()(scope, receive, send)

    return answer
