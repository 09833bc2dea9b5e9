"""Plain Kubernetes objects and applications in the own format, from the one to the other. Pure."""
