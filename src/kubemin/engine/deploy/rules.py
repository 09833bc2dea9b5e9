"""Asks a process of its own whether an object is ready by a rule: an expression is somebody's input."""

import asyncio
import contextlib
import json
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from pathlib import Path

import orjson

from kubemin.cluster.readiness import Verdict, is_outdated
from kubemin.engine.deploy import rule_process
from kubemin.spec.kinds import kind_name
from kubemin.spec.objects import Manifest
from kubemin.spec.readiness import Readiness
from kubemin.spec.reason_codes import ReasonCode

SECONDS = 5.0
"""For one object. Thousands of times what an honest rule takes, also on a machine that is busy."""
_PROGRAM = str(Path(rule_process.__file__))


class Rules:
    """One process for all tasks of a worker, begun with the first question. It ends with the worker, also if that dies.

    An expression that takes too long or too much memory ends the process, and its own job; the next question begins
    another one.
    """

    def __init__(self, seconds: float = SECONDS) -> None:
        self.seconds = seconds
        self._process: Process | None = None
        self._turn = asyncio.Lock()

    async def verdict(self, rule: Readiness, item: Manifest) -> Verdict | None:
        """What the rule says of the object; None where it leaves that to its kind."""
        what = f"{kind_name(item)} {item['metadata']['name']}"
        if not rule.sees_generations and is_outdated(item):
            return Verdict("waiting", f"{what}: the change is not seen by its controller yet")
        metadata = {key: value for key, value in item["metadata"].items() if key != "managedFields"}
        asked = orjson.dumps({"rule": rule.to_json(), "object": {**item, "metadata": metadata}})
        answer = await self._ask(asked)
        if answer is None:
            message = f"{what}: its readiness rule takes too long, or too much memory"
            return Verdict("hopeless", message, final=True, code=ReasonCode.INVALID)
        state, why = answer["state"], answer["why"]
        if state == "failed":
            message = f"{what}: {why or 'it has failed, as its readiness rule says'}"
            return Verdict("hopeless", message, final=True, code=ReasonCode.STALLED)
        if state == "current":
            return Verdict("ready", f"{what} is ready, as its readiness rule says", 1)
        if state or rule.current:
            return Verdict("waiting", f"{what}: {why or 'its readiness rule is not met yet'}")
        return None

    async def _ask(self, line: bytes) -> dict[str, str] | None:
        """The answer; None where there is none in time.

        A process that has answered others may have died of something else since then: so another one is asked too.
        """
        async with self._turn:
            is_new = self._process is None
            loop = asyncio.get_running_loop()
            until = loop.time() + self.seconds
            answer = await self._answer_to(line)
            if not answer and not is_new and loop.time() < until:
                answer = await self._answer_to(line)
            found: dict[str, str] | None = json.loads(answer) if answer else None
            return found

    async def _answer_to(self, line: bytes) -> bytes:
        """The answer of the process; empty where there is none in time, and then it is ended."""
        answer = b""
        try:
            process = self._process or await self._begin()
            with contextlib.suppress(TimeoutError, ConnectionError):
                async with asyncio.timeout(self.seconds):
                    answer = await _answer(process, line)
        finally:
            if not answer:  # also where it is cancelled: else this answer would be taken for that to the next
                await self._end()
        return answer

    async def _begin(self) -> Process:
        """How long it takes to begin says nothing of an expression."""
        process = self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-P", _PROGRAM, stdin=PIPE, stdout=PIPE, stderr=DEVNULL, start_new_session=True
        )
        if not await _answer(process):
            raise RuntimeError("the process that evaluates readiness rules does not start")
        return process

    async def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            if process.returncode is None:
                process.kill()
            await process.wait()

    async def aclose(self) -> None:
        """End the process."""
        async with self._turn:
            await self._end()


async def _answer(process: Process, line: bytes = b"") -> bytes:
    """Its next line, after this one was sent; empty where it has ended."""
    assert process.stdin is not None
    assert process.stdout is not None
    if line:
        process.stdin.write(line + b"\n")
        await process.stdin.drain()
    return await process.stdout.readline()
