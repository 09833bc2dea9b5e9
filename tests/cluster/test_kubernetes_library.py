"""The library that reads configurations, without the client that comes with it."""

import subprocess
import sys
from pathlib import Path

READ = """
import sys
from kubemin.cluster.kubernetes_library import import_without_client
import_without_client()
from kubernetes_asyncio.client import Configuration
from kubernetes_asyncio.config.kube_config import KubeConfigLoader
print(Configuration.__name__, sum(name.startswith("kubernetes_asyncio") for name in sys.modules))
"""


def read(*command: str) -> list[str]:
    return subprocess.run([sys.executable, *command], capture_output=True, text=True, check=True).stdout.split()


def test_of_the_library_only_what_reads_configurations_is_imported() -> None:
    name, modules = read("-c", READ)
    assert name == "Configuration"
    assert int(modules) < 20


def test_a_version_whose_reader_needs_more_is_imported_whole(tmp_path: Path) -> None:
    library = {
        "__init__": "",
        "client/__init__": "from .configuration import Configuration\nclass ApiClient: ...\nclass More: ...",
        "client/configuration": "class Configuration: ...",
        "config/__init__": "",
        "config/kube_config": "from kubernetes_asyncio.client import More\nclass KubeConfigLoader(More): ...",
    }
    for name, text in library.items():
        file = tmp_path / "kubernetes_asyncio" / f"{name}.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    script = tmp_path / "read.py"  # its folder is the first in which Python looks
    script.write_text(READ)
    assert read(str(script)) == ["Configuration", "5"]
