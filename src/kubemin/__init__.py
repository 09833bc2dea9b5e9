"""KubeMin: deploy applications to Kubernetes as tasks that can be stopped, and that put the cluster back as it was."""

__version__ = "0.1.0"
