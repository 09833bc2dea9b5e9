"""A simulated cluster that speaks the Kubernetes HTTP API from memory, over a real socket."""

from kubesim.server import SimServer, serve

__all__ = ["SimServer", "serve"]
