"""What an Idempotency-Key is for: the same request, asked for again, is the same task."""

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

from starlette.requests import HTTPConnection

from kubemin.api.lookups import id_named
from kubemin.store import Tx, applications, tasks
from kubemin.store.tasks import Task

KEY = r"^[\x21-\x7e]+$"
"""The characters of one."""
LONGEST = 255
"""And how many."""


def hash_of(asked: str, body: Mapping[str, Any]) -> str:
    """Requests with one key have to be one: those of which this is the same. ``asked``: what the route does."""
    text = json.dumps([asked, body], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


async def removal_by_key(tx: Tx, request: HTTPConnection, caller: str, named: str) -> Task | None:
    """The task that has deleted this application, where the request is that of the caller who asked for it, again.

    Then the application is gone, and only the key of its removal still knows it.
    """
    app_id, key = id_named(named), request.headers.get("Idempotency-Key", "")
    if not app_id or len(key) > LONGEST or not re.fullmatch(KEY, key):
        return None
    if await applications.get(tx, app_id) is not None:
        return None
    return await tasks.by_idempotency_key(tx, caller, app_id, key)
