"""Logins at an issuer: the browser goes there and comes back to where it was, with what was written."""

import asyncio
import json
import socket
import threading
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.cli.kubemin import Kubemin, Running
from tests.identity.provider import CLIENT, SECRET, Provider, provider

pytestmark = pytest.mark.proof

GRANTS = [{"group": "team-shop", "role": "deployer"}]


@pytest.fixture(scope="module")
def issuer() -> Iterator[Provider]:
    """In a thread of its own: the browser's loop runs in this one."""
    made, over = list[Provider](), threading.Event()
    begun = threading.Event()

    async def run() -> None:
        async with provider() as one:
            made.append(one)
            begun.set()
            await asyncio.to_thread(over.wait)

    thread = threading.Thread(target=asyncio.run, args=(run(),))
    thread.start()
    begun.wait()
    yield made[0]
    over.set()
    thread.join()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, issuer: Provider) -> Iterator[Running]:
    """`kubemin dev` with an issuer; the issuer sends browsers to its address, so that is known before."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    env = {
        "KUBEMIN_OIDC_ISSUER": issuer.url,
        "KUBEMIN_OIDC_CLIENT_ID": CLIENT,
        "KUBEMIN_OIDC_CLIENT_SECRET": SECRET,
        "KUBEMIN_OIDC_GRANTS": json.dumps(GRANTS),
        "KUBEMIN_PUBLIC_URL": f"http://127.0.0.1:{port}",
    }
    kubemin = Kubemin(tmp_path_factory.mktemp("issuer"))
    running = kubemin.start("dev", "--in-process", "--port", str(port), env=env)
    try:
        running.url = running.wait_for(r"ready at (http://\S+)")[1]
        yield running
    finally:
        running.stop()


def test_one_comes_back_to_where_one_was_with_what_one_wrote(page: Page, issuer: Provider) -> None:
    page.goto("/#/plan")
    page.reload()
    login = page.get_by_role("dialog", name="Log in")
    at_issuer = login.get_by_role("link", name="Log in at 127.0.0.1")
    issuer.nonce = "another"
    at_issuer.click()
    expect(login.get_by_role("alert")).to_have_text("The login did not succeed: try again.")
    assert "login" not in page.url
    issuer.nonce = None
    at_issuer.click()
    expect(page.get_by_role("heading", name="Plan")).to_be_visible()
    expect(page.get_by_role("link", name="ada")).to_be_visible()
    editor = page.get_by_role("textbox", name="Application")
    editor.fill("name: written")
    page.context.clear_cookies()
    page.get_by_role("button", name="Preview").click()
    at_issuer.click()
    expect(page.get_by_role("link", name="ada")).to_be_visible()
    expect(editor).to_have_value("name: written")
    assert page.evaluate("sessionStorage.length") == 0
    page.get_by_role("button", name="Log out").click()
    expect(login).to_be_visible()
    assert [one["client_id"] for one in issuer.left] == [CLIENT]
    assert page.url.startswith(issuer.left[0]["post_logout_redirect_uri"])
