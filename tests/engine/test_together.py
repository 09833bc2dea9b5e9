"""Rows that are about to ask the same wait for each other, however long each has to do."""

import asyncio

from kubemin.engine.cleanup.together import Together


async def test_who_is_done_waits_for_those_who_are_not() -> None:
    together, order = Together(), list[str]()
    done = asyncio.Event()

    async def row(name: str) -> None:
        with together.busy():
            order.append(f"{name} is busy")
            if name == "slow":
                await done.wait()
        await together.others()
        order.append(f"{name} asks")

    async with asyncio.TaskGroup() as group:
        for name in ("slow", "fast"):
            group.create_task(row(name))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert "fast asks" not in order
        done.set()
    assert sorted(order[:2]) == ["fast is busy", "slow is busy"]
    assert sorted(order[2:]) == ["fast asks", "slow asks"]


async def test_nobody_waits_for_one_who_never_comes() -> None:
    together = Together()
    with together.busy():
        await together.others()
