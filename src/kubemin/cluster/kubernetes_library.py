"""kubernetes-asyncio without its client: of the library only what reads configurations is used.

Its packages import a class for every kind and verb of the API: 900 modules, 65 MiB and two seconds of CPU in each
process that serves or works.
"""

import sys
from importlib import import_module
from importlib.util import find_spec, module_from_spec

_PACKAGE = "kubernetes_asyncio"
_CLIENT = "kubernetes_asyncio.client"


def import_without_client() -> None:
    """Have ``kubernetes_asyncio.config`` imported, and of ``kubernetes_asyncio.client`` only ``Configuration``.

    Does nothing where the library is imported already. A version whose reader needs more is imported as it is.
    """
    if _PACKAGE in sys.modules:
        return
    try:
        for name in (_PACKAGE, _CLIENT):
            spec = find_spec(name)
            if spec is None:
                raise ModuleNotFoundError(f"No module named {name!r}", name=name)
            sys.modules[name] = module_from_spec(spec)  # its own code is not run
        client = sys.modules[_CLIENT]
        client.Configuration = import_module(f"{_CLIENT}.configuration").Configuration  # type: ignore[attr-defined]
        client.ApiClient = None  # type: ignore[attr-defined]  # imported by the reader, for functions not used here
        import_module(f"{_PACKAGE}.config.kube_config")
    except ImportError:
        for name in [name for name in sys.modules if name == _PACKAGE or name.startswith(f"{_PACKAGE}.")]:
            del sys.modules[name]
