"""Logs that are read: what is large is masked beside the loop, where cancels are answered."""

import base64
import json
import threading
from asyncio import StreamWriter

import pytest

from kubemin.cluster import Cluster
from kubemin.engine.entry import pod_logs
from kubemin.engine.entry.pod_logs import PodLogs, Wanted
from kubemin.engine.objects.masking import Mask
from tests.cluster.servers import RawServer, Seen, response

POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "web-1", "namespace": "shop", "labels": {}},
    "spec": {"containers": [{"name": "web"}]},
}
SECRET = {
    "apiVersion": "v1",
    "kind": "Secret",
    "metadata": {"name": "keys", "namespace": "shop"},
    "data": {"token": base64.b64encode(b"hush-hush").decode()},
}


@pytest.mark.parametrize("lines", [1, 10_000])
async def test_a_large_log_is_masked_beside_the_loop(lines: int, monkeypatch: pytest.MonkeyPatch) -> None:
    async def answer(request: Seen, writer: StreamWriter) -> None:
        if request.path.endswith("/log"):
            writer.write(response(200, b"it says hush-hush\n" * lines))
        else:
            items = [POD] if request.path.endswith("/pods") else [SECRET]
            listed = {"kind": "List", "apiVersion": "v1", "metadata": {"resourceVersion": "1"}, "items": items}
            writer.write(response(200, json.dumps(listed).encode()))

    threads: list[threading.Thread] = []

    class Watched(Mask):
        def __call__(self, text: str) -> str:
            threads.append(threading.current_thread())
            return super().__call__(text)

    monkeypatch.setattr(pod_logs, "Mask", Watched)
    async with RawServer(answer) as server:
        cluster = await Cluster.connect(kubeconfig=None, context=None, url=server.url)
        try:
            found = await PodLogs(cluster).read(Wanted("app", "shop"))
        finally:
            await cluster.aclose()
    assert [one.text for one in found] == ["it says ******"] * lines
    assert [one is threading.main_thread() for one in threads] == [lines == 1]
