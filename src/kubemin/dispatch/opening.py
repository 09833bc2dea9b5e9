"""Which doorbell a process uses."""

from collections.abc import Callable

from kubemin.dispatch.base import Doorbell
from kubemin.dispatch.local import LocalDoorbell


def open_doorbell(redis_url: str | None, database_url: str, tell: Callable[[], None] | None = None) -> Doorbell:
    """Redis where there is one, else PostgreSQL where that is the database, else this process and those it tells.

    Raises SignalError if the Redis URL is unusable. Connections are made on first use.
    """
    if redis_url is not None:
        from kubemin.dispatch.redis import RedisDoorbell

        return RedisDoorbell(redis_url)
    if database_url.startswith("postgres"):
        from kubemin.dispatch.postgres import PostgresDoorbell  # asyncpg comes with the extra `postgresql`

        return PostgresDoorbell(database_url)
    return LocalDoorbell(tell)
