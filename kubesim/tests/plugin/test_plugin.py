"""The plugin, as pytest loads it: in a process of its own, over test files of others."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., str]

USES = '''
import http.client, json

def call(cluster, method, name="", token=None):
    """The status of a request about ConfigMaps."""
    connection = http.client.HTTPConnection(cluster.url.removeprefix("http://"), timeout=60)
    path = "/api/v1/namespaces/default/configmaps" + (f"/{name}" if method == "GET" and name else "")
    body = json.dumps({"metadata": {"name": name}}) if method == "POST" else None
    connection.request(method, path, body, {"Authorization": f"Bearer {token}"} if token else {})
    status = connection.getresponse().status
    connection.close()
    return status
'''


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs pytest over a test file. Returns what it printed."""
    (tmp_path / "uses.py").write_text(USES)

    def run(test: str, *options: str) -> str:
        (tmp_path / "test_it.py").write_text(test)
        command = [sys.executable, "-m", "pytest", "-W", "error", "--strict-markers", "-p", "no:cacheprovider"]
        command += ["-p", "kubesim.pytest_plugin"]
        env = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}  # it needs no other plugin
        done = subprocess.run(
            [*command, *options], cwd=tmp_path, env=env, capture_output=True, text=True, timeout=120, check=False
        )
        return done.stdout + done.stderr

    return run


def test_each_test_has_a_cluster_of_its_own_and_the_session_one_for_all(run: Run) -> None:
    said = run(
        """
import pytest
from uses import call

urls = set()

@pytest.mark.parametrize("number", range(3))
def test_own(kubesim, number):
    assert call(kubesim, "POST", "web") == 201

@pytest.mark.parametrize("number", range(3))
def test_shared(kubesim_session, number):
    urls.add(kubesim_session.url)
    assert call(kubesim_session, "POST", "web") == (409 if number else 201)
    assert len(urls) == 1
"""
    )
    assert "6 passed" in said, said


def test_marks_are_options_the_closest_first(run: Run) -> None:
    said = run(
        """
import pytest
from kubesim import Fault
from uses import call

pytestmark = pytest.mark.kubesim(token="module", speed=1000)
busy = Fault("status", verb="create", code=429)

def test_module(kubesim):
    assert kubesim.token == "module"
    assert (call(kubesim, "GET"), call(kubesim, "GET", token="module")) == (401, 200)

@pytest.mark.kubesim(token="class", faults=[busy])
class TestClass:
    def test_class(self, kubesim):
        assert kubesim.token == "class"
        assert [call(kubesim, "POST", "web", "class") for _ in range(2)] == [429, 201]

    @pytest.mark.kubesim(faults=[])
    def test_no_faults(self, kubesim):
        assert call(kubesim, "POST", "web", "class") == 201

    @pytest.mark.kubesim(token="own", authorize=True)
    def test_own(self, kubesim):
        assert call(kubesim, "GET", token="own") == 200
        assert call(kubesim, "GET", token=kubesim.account_token("default", "default")) == 403
"""
    )
    assert "4 passed" in said, said


def test_a_mark_that_is_wrong_is_an_error(run: Run) -> None:
    said = run(
        """
import pytest

@pytest.mark.kubesim(10)
def test_without_a_name(kubesim): pass

@pytest.mark.kubesim(sped=10)
def test_of_a_name_that_is_none(kubesim): pass
"""
    )
    assert "2 errors" in said, said
    assert "takes its options by name" in said
    assert "unexpected keyword argument 'sped'" in said


def test_it_is_known_to_pytest(run: Run) -> None:
    assert "@pytest.mark.kubesim(**options)" in run("", "--markers")


def test_who_does_not_use_it_pays_nothing() -> None:
    """Loading it imports no server and starts no thread."""
    script = """
import sys, threading
import kubesim.pytest_plugin
assert not {"aiohttp", "yaml", "asyncio", "kubesim.server", "kubesim.threaded"} & sys.modules.keys()
assert threading.active_count() == 1
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
