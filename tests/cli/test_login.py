"""Logins of the command line: by an issuer and by a token, kept, renewed, and forgotten."""

import json
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from kubemin.cli.exits import Exit
from kubemin.client import Client
from tests.cli.kubemin import InProcess, Kubemin
from tests.identity.provider import CLIENT, Provider, provider_beside

GRANTS = "- {group: team-shop, role: deployer, namespaces: [shop]}"


@pytest.fixture(scope="module")
def shared() -> Iterator[Provider]:
    with provider_beside() as one:
        one.public = True
        yield one


@pytest.fixture(scope="module")
def guarded(shared: Provider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """A server with that issuer, and an admin's API token."""
    local = Kubemin(tmp_path_factory.mktemp("server"))
    admin = local("token", "create", "first", "--role", "admin", "--local", "-q").stdout.strip()
    env = {"KUBEMIN_OIDC_ISSUER": shared.url, "KUBEMIN_OIDC_CLIENT_ID": CLIENT, "KUBEMIN_OIDC_GRANTS": GRANTS}
    with local.dev(env=env) as running:
        yield running.url, admin


@pytest.fixture
def url(guarded: tuple[str, str]) -> str:
    return guarded[0]


@pytest.fixture
def issuer(shared: Provider) -> Provider:
    """As it is at first."""
    shared.asked.clear()
    shared.refresh_tokens.clear()
    shared.left.clear()
    shared.device_errors, shared.back, shared.metadata = [], {}, {}
    shared.nonce, shared.lifetime, shared.id_tokens, shared.away = None, 600, True, False
    return shared


@pytest.fixture
def ada(
    url: str, issuer: Provider, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> InProcess:
    """Commands of somebody with a folder of their own for what is kept."""
    one = InProcess(tmp_path, monkeypatch, capsys, url)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    return one


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    return tmp_path / "kubemin" / "credentials.json"


def change(kept: Path, url: str, **values: object) -> None:
    """What is kept of the login at this server."""
    found = json.loads(kept.read_text())
    found["servers"][url] |= values
    kept.write_text(json.dumps(found))


def test_a_login_by_device_is_kept_used_and_forgotten(ada: InProcess, issuer: Provider, url: str, kept: Path) -> None:
    refused = ada("apps")
    assert refused.returncode == Exit.DENIED
    assert "kubemin login" in refused.stderr
    issuer.device_errors = ["authorization_pending", "authorization_pending"]
    done = ada("login", "--device")
    assert done.returncode == 0, done.stderr
    assert "ABCD-EFGH" in done.stderr
    assert "ada, by a login at the issuer" in done.stdout
    assert "deployer ns=shop" in done.stdout
    assert issuer.asked.count("device_code") == 3
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert stat.S_IMODE(kept.parent.stat().st_mode) == 0o700
    assert ada("apps").returncode == 0
    who = ada("whoami", "-o", "json")
    assert json.loads(who.stdout)["name"] == "oidc:ada"
    token = json.loads(kept.read_text())["servers"][url]["token"]
    assert token not in done.stdout + done.stderr + who.stdout
    out = ada("logout")
    assert out.returncode == 0
    assert out.stderr == ""
    assert issuer.asked[-2:] == ["revoke", "leave"]
    assert issuer.refresh_tokens == {}
    assert issuer.left == [{"client_id": CLIENT, "id_token_hint": token}]
    assert f"{issuer.url}/leave?client_id={CLIENT} logs it out" in out.stdout
    assert token not in out.stdout + out.stderr
    assert json.loads(kept.read_text()) == {"servers": {}}
    assert ada("apps").returncode == Exit.DENIED
    assert "no login" in ada("logout").stdout


def in_browser(url: str, folder: Path, *arguments: str) -> "tuple[subprocess.CompletedProcess[str], str]":
    """A login in a browser that goes where it is sent; and what that showed in the end."""
    browser, shown = folder / "browser.py", folder / "shown"
    browser.write_text(
        "import pathlib, sys, urllib.error, urllib.request\n"
        "try:\n    page = urllib.request.urlopen(sys.argv[1])\n"
        "except urllib.error.HTTPError as error:\n    page = error\n"
        f"pathlib.Path({str(shown)!r}).write_bytes(page.read())\n"
    )
    env = {"XDG_CONFIG_HOME": str(folder), "BROWSER": f"{sys.executable} {browser} %s"}
    done = Kubemin(folder, url)("login", "--browser", *arguments, env=env)
    return done, shown.read_text() if shown.exists() else ""


def test_a_login_in_a_browser(url: str, issuer: Provider, kept: Path, tmp_path: Path) -> None:
    done, _ = in_browser(url, tmp_path)
    assert done.returncode == 0, done.stderr
    assert "ada, by a login at the issuer" in done.stdout
    assert kept.exists()
    assert issuer.asked == ["metadata", "authorization_code", *issuer.asked[2:]]


@pytest.mark.parametrize(
    ("back", "nonce"),
    [
        ({"state": "of-another"}, None),
        ({"state": ""}, None),
        ({"iss": "https://evil.example"}, None),
        ({"code": ""}, None),
        ({"code": "of-another"}, None),
        ({"error": "access_denied"}, None),
        ({}, "of-another"),
    ],
)
def test_what_does_not_come_back_from_this_login_is_no_login(
    url: str, issuer: Provider, kept: Path, tmp_path: Path, back: dict[str, str], nonce: str | None
) -> None:
    issuer.back, issuer.nonce = back, nonce
    done, _ = in_browser(url, tmp_path)
    assert done.returncode in (Exit.FAILED, Exit.DENIED)
    assert not kept.exists()
    if "state" in back or "iss" in back:
        assert "authorization_code" not in issuer.asked


def test_a_login_is_renewed_before_it_expires_and_when_it_is_refused(
    ada: InProcess, issuer: Provider, url: str, kept: Path
) -> None:
    assert ada("login", "--device").returncode == 0
    first = json.loads(kept.read_text())["servers"][url]
    change(kept, url, expires=1.0)
    assert ada("apps").returncode == 0
    second = json.loads(kept.read_text())["servers"][url]
    assert second["refresh_token"] != first["refresh_token"]
    assert issuer.asked.count("refresh_token") == 1
    change(kept, url, token="of.no.use")
    assert ada("apps").returncode == 0
    assert issuer.asked.count("refresh_token") == 2
    issuer.refresh_tokens.clear()
    change(kept, url, expires=1.0)
    over = ada("apps")
    assert over.returncode == Exit.DENIED
    assert "invalid_grant" in over.stderr
    assert "kubemin login" in over.stderr


def test_commands_that_renew_at_once_do_it_once(
    ada: InProcess, issuer: Provider, url: str, kept: Path, tmp_path: Path
) -> None:
    """A refresh token that is used twice would end the login."""
    assert ada("login", "--device").returncode == 0
    change(kept, url, expires=1.0)
    outside = Kubemin(tmp_path, url)
    running = [outside.start("apps", env={"XDG_CONFIG_HOME": str(tmp_path)}) for _ in range(3)]
    assert [one.end() for one in running] == [0, 0, 0]
    assert issuer.asked.count("refresh_token") == 1
    change(kept, url, expires=1.0)
    assert ada("apps").returncode == 0


def test_while_the_issuer_is_away_a_token_counts_until_it_expires(
    ada: InProcess, issuer: Provider, url: str, kept: Path
) -> None:
    assert ada("login", "--device").returncode == 0
    issuer.away = True
    change(kept, url, expires=time.time() + 20)
    assert ada("apps").returncode == 0
    change(kept, url, expires=1.0)
    away = ada("apps")
    assert away.returncode == Exit.LOST
    assert "issuer" in away.stderr
    assert "kubemin dev" not in away.stderr
    issuer.away = False
    assert ada("apps").returncode == 0
    issuer.id_tokens = False
    change(kept, url, expires=1.0)
    assert ada("apps").returncode == Exit.DENIED


def test_an_api_token_is_kept_and_what_is_given_goes_first(
    ada: InProcess, guarded: tuple[str, str], kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, admin = guarded
    wrong = ada("login", "--token-stdin", stdin=f"{admin}x\n")
    assert wrong.returncode == Exit.DENIED
    assert not kept.exists()
    assert ada("login", "--token-stdin", stdin="").returncode == Exit.USAGE
    done = ada("login", "--token-stdin", "-o", "json", stdin=f"{admin}\n")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["how"] == "token"
    assert admin not in done.stdout + done.stderr
    assert ada("whoami", "-q").stdout == "admin\n"
    assert ada("apps", "--token", "of-no-use").returncode == Exit.DENIED
    monkeypatch.setenv("KUBEMIN_TOKEN", "of-no-use")
    assert ada("whoami").returncode == Exit.DENIED
    assert "KUBEMIN_TOKEN" in ada("login", "--token-stdin", stdin=f"{admin}\n").stderr
    monkeypatch.delenv("KUBEMIN_TOKEN")
    assert ada("whoami", "--server", f"{url}/below").returncode != 0
    assert ada("whoami", "--server", url.replace("127.0.0.1", "localhost")).returncode == Exit.DENIED
    assert "token revoke" in ada("logout").stdout


def test_a_login_is_only_for_whoever_has_to_log_in(client: InProcess) -> None:
    done = client("login")
    assert done.returncode == 0
    assert "nothing to log in to" in done.stdout
    assert "asks nobody" in client("whoami").stdout
    for server in ("http://kubemin.example", "ftp://x", "https://a:b@kubemin.example"):
        assert client("login", "--server", server).returncode == Exit.USAGE
    assert client("login", "--device", "--browser").returncode == Exit.USAGE


class _Turning:
    """A credential that has another token once the first one is refused."""

    def __init__(self, *tokens: str) -> None:
        self.tokens = list(tokens)

    def token(self) -> str:
        return self.tokens[0]

    def another(self, refused: str | None) -> str:
        assert refused == self.tokens.pop(0)
        return self.tokens[0]


def test_a_follow_goes_on_with_another_token(guarded: tuple[str, str]) -> None:
    url, admin = guarded
    by_admin = Client(url, admin)
    grants = [{"role": "deployer"}]
    first, second = (by_admin.create_token(f"ada {number}", grants) for number in (1, 2))
    turning = _Turning(first["token"], second["token"])
    client = Client(url, turning)
    image = "registry.example/web:1-slow-60"
    made = client.apply({"name": "turning", "component": [{"name": "web", "type": "webservice", "image": image}]})
    states = list[str]()
    for task, event in client.watch(made["taskId"]):
        if task is not None:
            states.append(task["status"])
        elif event is not None and len(turning.tokens) == 2:
            by_admin.revoke_token(first["id"])
        if task is not None and len(turning.tokens) == 1 and task["status"] not in ("cancelled",):
            client.cancel(made["taskId"])
    assert states[-1] == "cancelled"
    assert turning.tokens == [second["token"]]
