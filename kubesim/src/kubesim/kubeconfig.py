"""A kubeconfig that points clients at a simulated cluster."""

import os
from pathlib import Path

import yaml

from kubesim.jsondata import Object


def kubeconfig(url: str, token: str | None = None) -> str:
    """The file's content, as YAML."""
    user: Object = {"token": token} if token else {}
    config: Object = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "kubesim", "cluster": {"server": url}}],
        "users": [{"name": "kubesim", "user": user}],
        "contexts": [{"name": "kubesim", "context": {"cluster": "kubesim", "user": "kubesim", "namespace": "default"}}],
        "current-context": "kubesim",
    }
    text: str = yaml.safe_dump(config, sort_keys=False)
    return text


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner may read: it may hold a token. Raises :class:`OSError`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
