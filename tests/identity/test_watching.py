"""Streams of credentials that have ended."""

import asyncio
from collections.abc import Collection, Mapping

from kubemin.identity.principal import Principal
from kubemin.identity.watching import Watch

ADA = Principal("ada", "token", (), credential="token:a")


async def _none_is_valid(_: Collection[str]) -> Collection[str]:
    return ()


async def _no_projects(_: Collection[str]) -> Mapping[str, str]:
    return {}


async def test_who_comes_as_the_last_one_goes_is_watched_too() -> None:
    watch = Watch(_none_is_valid, _no_projects, 0)
    with watch.of(ADA):
        await asyncio.sleep(0)
    with watch.of(ADA) as ended:
        async with asyncio.timeout(5):
            await ended.wait()
