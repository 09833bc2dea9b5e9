"""No memory of a process that holds secrets gets onto a disk, or is read by other programs of its user."""

import sys
from contextlib import suppress

_PR_SET_DUMPABLE = 4


def turn_off() -> None:
    """No core dump of this process and those that it starts; on Linux no debugger either, unless it is root's."""
    if sys.platform == "win32":
        return
    import resource

    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        import ctypes

        with suppress(OSError, AttributeError):
            ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
