"""No file of the repository names the host of a package registry: whoever installs may use another."""

import subprocess

import pytest

from tests.docs.markdown import ROOT

HOSTS = ("pypi" + ".org", "pythonhosted" + ".org", "npmjs" + ".org", "npmjs" + ".com", "deb.debian" + ".org")


@pytest.mark.parametrize("host", HOSTS)
def test_no_registry_is_named(host: str) -> None:
    found = subprocess.run(["git", "grep", "-Il", host], cwd=ROOT, capture_output=True, text=True, check=False)
    assert found.returncode in (0, 1), found.stderr
    assert found.stdout == ""
