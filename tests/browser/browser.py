"""A headless browser, and the server of a page that it shows: on this machine's loopback addresses alone."""

import json
import os
import queue
import shutil
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.waiting import PATIENCE

PAGE = Path(__file__).with_name("page.html")
HOSTS = ("console.test", "other.test")
_PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "chrome")
_FLAGS = (
    "--headless",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
)


def program() -> str | None:
    """The browser of this machine, if it has one."""
    return next((found for name in _PROGRAMS if (found := shutil.which(name))), None)


class Pages:
    """Serves the page under each of `HOSTS`, and takes what pages report."""

    def __init__(self) -> None:
        self.reports: queue.Queue[Any] = queue.Queue()
        pages = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = PAGE.read_bytes()
                self.send_response(200)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_POST(self) -> None:
                pages.reports.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Nothing: the test says what was wrong."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def origin(self, host: str) -> str:
        """Under this name, as the browser knows it."""
        return f"http://{host}:{self._server.server_port}"

    def close(self) -> None:
        """Serve no more."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@contextmanager
def showing(url: str, folder: Path) -> Iterator[None]:
    """A browser that shows the page while the context is open; `HOSTS` are this machine, and there are no others."""
    rules = ", ".join([*(f"MAP {host} 127.0.0.1" for host in HOSTS), "MAP * ~NOTFOUND", "EXCLUDE 127.0.0.1"])
    flags: Sequence[str] = [*_FLAGS, *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    found = program()
    assert found is not None
    with (folder / "browser.log").open("wb") as log:
        process = subprocess.Popen(
            [found, *flags, f"--user-data-dir={folder / 'profile'}", f"--host-resolver-rules={rules}", url],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
        try:
            yield
        finally:
            process.terminate()
            process.wait()


def reported(pages: Pages, url: str, folder: Path) -> Any:
    """What the page reports once the browser shows it."""
    with showing(url, folder):
        try:
            return pages.reports.get(timeout=PATIENCE)
        except queue.Empty:
            raise AssertionError((folder / "browser.log").read_text()[-2000:]) from None
