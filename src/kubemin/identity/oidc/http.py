"""Requests to an issuer: short, small, and to nowhere else than its addresses."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from kubemin.identity.errors import IssuerAway

_SECONDS = 5.0
_MOST_BYTES = 1024 * 1024


class IssuerHttp:
    """One client, opened at the first request. Raises `IssuerAway`, in whose sentence is nothing of an answer."""

    def __init__(self) -> None:
        self._session: aiohttp.ClientSession | None = None

    async def get(self, url: str) -> Mapping[str, Any]:
        """The JSON object at an address."""
        return (await self._ask("GET", url, None))[1]

    async def post(self, url: str, form: Mapping[str, str]) -> tuple[int, Mapping[str, Any]]:
        """The status and the JSON object that a form is answered with."""
        return await self._ask("POST", url, form)

    async def aclose(self) -> None:
        """Close what is open."""
        if self._session is not None:
            await self._session.close()

    async def _ask(self, method: str, url: str, form: Mapping[str, str] | None) -> tuple[int, Mapping[str, Any]]:
        if self._session is None:
            timeout = aiohttp.ClientTimeout(total=_SECONDS)
            self._session = aiohttp.ClientSession(timeout=timeout, cookie_jar=aiohttp.DummyCookieJar())
        where = urlsplit(url).netloc
        try:
            headers = {"Accept": "application/json"}
            async with self._session.request(method, url, data=form, headers=headers, allow_redirects=False) as answer:
                body = await answer.content.read(_MOST_BYTES + 1)
                status = answer.status
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise IssuerAway(f"The issuer at {where} does not answer ({type(error).__name__}).") from error
        if status != 200 and (method == "GET" or status >= 500):
            raise IssuerAway(f"The issuer at {where} answers with HTTP {status}.")
        try:
            found = json.loads(body) if len(body) <= _MOST_BYTES else None
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict):
            raise IssuerAway(f"What the issuer at {where} answers is no JSON object.")
        return status, found
