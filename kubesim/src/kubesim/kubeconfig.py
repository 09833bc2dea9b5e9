"""A kubeconfig that points clients at a simulated cluster."""

import yaml

from kubesim.jsondata import Object


def kubeconfig(url: str, token: str | None = None) -> str:
    """The file's content, as YAML."""
    user: Object = {"token": token} if token else {}
    config: Object = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "kubemin-sim", "cluster": {"server": url}}],
        "users": [{"name": "kubemin-sim", "user": user}],
        "contexts": [
            {
                "name": "kubemin-sim",
                "context": {"cluster": "kubemin-sim", "user": "kubemin-sim", "namespace": "default"},
            }
        ],
        "current-context": "kubemin-sim",
    }
    text: str = yaml.safe_dump(config, sort_keys=False)
    return text
