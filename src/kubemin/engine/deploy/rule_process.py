"""What evaluates expressions: run as a program of its own, a line of JSON in, a line of JSON out.

An expression may run for ever, or take all memory, and the library does not let go of the interpreter meanwhile. So it
has a process that can be ended.
"""

import json
import signal
import sys
from functools import lru_cache
from typing import Any

from kubemin.spec.cel import VARIABLE, Program, compiled

MEMORY = 1024 * 1024 * 1024
"""Bytes of address space."""
ALONE = 60
"""Seconds after which it ends by itself: whoever asked has died meanwhile, and ends nothing any more."""
_LONGEST = 500


@lru_cache(maxsize=256)
def _program(expression: str) -> Program:
    return compiled(expression)


def _value(expression: str, obj: Any, said: list[str]) -> Any:
    """The value; None where the object lacks what is named, or has it otherwise. ``said`` takes that, for people."""
    try:
        return _program(expression).execute({VARIABLE: obj})
    except KeyError as error:
        said.append(f"it has no {error.args[0] if error.args else error}")
    except (ValueError, TypeError, IndexError, ArithmeticError, RuntimeError) as error:
        said.append(" ".join(str(error).split()))
    return None


def judge(rule: dict[str, str], obj: Any) -> dict[str, str]:
    """The first of the rule's expressions that is true (``state``; empty where none is), and in words why."""
    said: list[str] = []
    fields = ("failed", "current", "in_progress")
    state = next((name for name in fields if rule[name] and _value(rule[name], obj, said) is True), "")
    text = _value(rule["message"], obj, []) if rule["message"] else None
    why = text if isinstance(text, str) and text else "" if state else "; ".join(dict.fromkeys(said))
    return {"state": state, "why": why[:_LONGEST]}


def _die_in(seconds: int) -> None:
    """Die in so many seconds, by a signal that no code of ours has to handle; 0: do not."""
    if sys.platform != "win32":
        signal.alarm(seconds)


def main() -> None:
    """Answer until the input ends."""
    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    print("ready", flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        _die_in(ALONE)
        answer = judge(asked["rule"], asked["object"])
        _die_in(0)
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
