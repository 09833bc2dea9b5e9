"""Beginning anew what a database ended to break a deadlock."""

from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from kubemin.store.errors import Deadlock

P = ParamSpec("P")
T = TypeVar("T")

_TRIES = 5


def begun_anew(method: Callable[P, Coroutine[Any, Any, T]]) -> Callable[P, Coroutine[Any, Any, T]]:
    """A method whose first transaction was ended by a `Deadlock` is called again, as nothing was stored.

    MariaDB locks entries of indexes in the order in which a statement comes to them: two statements that are about the
    same task can always meet. Raises `Deadlock` if that happens each time.
    """

    @wraps(method)
    async def called(*args: P.args, **kwargs: P.kwargs) -> T:
        for _ in range(_TRIES - 1):
            try:
                return await method(*args, **kwargs)
            except Deadlock:
                continue
        return await method(*args, **kwargs)

    return called
