"""A simulated cluster that speaks the Kubernetes HTTP API from memory, over a real socket."""
