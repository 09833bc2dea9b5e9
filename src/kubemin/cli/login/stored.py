"""The file in which logins are kept: this person's alone, whole at every moment."""

import json
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from typing import Any, Self

from kubemin.cli.by_code import of_system
from kubemin.cli.exits import CliError, Exit
from kubemin.cli.language import because, tr
from kubemin.cli.login import path
from kubemin.client.errors import Unavailable

_OTHERS = 0o077
_LOCK_SECONDS = 15.0
_LOCK_AGAIN_SECONDS = 0.05
_NEW = ".new"


@dataclass(frozen=True)
class Login:
    """What is kept of one. ``expires`` is in seconds since 1970, None where that is not known.

    Of an API token only ``token`` is there. ``presents`` says which of the issuer's tokens it is.
    """

    token: str
    expires: float | None = None
    refresh_token: str | None = None
    issuer: str | None = None
    client_id: str | None = None
    presents: str | None = None

    @classmethod
    def of(cls, given: Any) -> Self:
        """As it was written. Raises `ValueError`, `TypeError`."""
        login = cls(**given)
        expires, others = login.expires, [one for name, one in vars(login).items() if name not in ("token", "expires")]
        right = isinstance(login.token, str) and isinstance(expires, int | float | None)
        if not right or not all(isinstance(one, str | None) for one in others):
            raise ValueError
        return login

    def __repr__(self) -> str:
        return f"{type(self).__name__}(issuer={self.issuer!r})"


class Logins:
    """Those in one file, by server. Raises `CliError` where it cannot be used."""

    def __init__(self, path: str) -> None:
        self.path = path

    def get(self, server: str) -> Login | None:
        """The login at a server."""
        return self._read().get(server)

    def put(self, server: str, login: Login | None) -> None:
        """Keep it, or with None forget it. Whoever does is to hold the lock."""
        kept = {**self._read(), server: login}
        self._write({name: one for name, one in kept.items() if one is not None})

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Nobody else changes the file meanwhile. Raises `Unavailable` where somebody else does for too long.

        Where the system has no such locks, the last one who writes wins.
        """
        file = self._open_lock()
        try:
            _lock(file)
            yield
        finally:
            os.close(file)

    def _open_lock(self) -> int:
        try:
            folder = os.path.dirname(self.path)
            os.makedirs(folder, mode=0o700, exist_ok=True)
            os.chmod(folder, 0o700)
            return os.open(f"{self.path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise self._unwritable(error) from error

    def _read(self) -> Mapping[str, Login]:
        try:
            with open(self.path, encoding="utf-8") as file:
                self._refuse_open(os.fstat(file.fileno()))
                text = file.read()
        except FileNotFoundError:
            return {}
        except (OSError, UnicodeError) as error:
            why = of_system(error) if isinstance(error, OSError) else str(error)
            raise CliError(because(tr("cannot read {path}", path=self.path), why), Exit.USAGE) from error
        try:
            return {server: Login.of(given) for server, given in json.loads(text)["servers"].items()}
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            message = tr("{path} is not what `kubemin login` has written: remove it, and log in again", path=self.path)
            raise CliError(message, Exit.USAGE) from None  # what is raised has a piece of it

    def _refuse_open(self, found: os.stat_result) -> None:
        if os.name != "posix":
            return
        if found.st_uid != os.geteuid():
            raise CliError(tr("{path} belongs to somebody else: it is not used", path=self.path), Exit.USAGE)
        if found.st_mode & _OTHERS:
            message = tr(
                "{path} may be read by others: it is not used. `chmod 600 {path}` closes it; if somebody may have read "
                "it, log out and in again",
                path=self.path,
            )
            raise CliError(message, Exit.USAGE)

    def _write(self, logins: Mapping[str, Login]) -> None:
        servers = {server: {k: v for k, v in asdict(one).items() if v is not None} for server, one in logins.items()}
        text = json.dumps({"servers": servers}, indent=1) + "\n"
        new = f"{self.path}.{os.getpid()}{_NEW}"
        try:
            self._remove_unfinished()
            file = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            try:
                with open(file, "w", encoding="utf-8") as out:
                    out.write(text)
                    out.flush()
                    os.fsync(out.fileno())
                os.replace(new, self.path)
            except BaseException:
                with suppress(OSError):
                    os.unlink(new)
                raise
            _sync_folder(os.path.dirname(self.path))
        except OSError as error:
            raise self._unwritable(error) from error

    def _remove_unfinished(self) -> None:
        """What a writer that was killed has left; whoever writes holds the lock, so nobody is at it."""
        folder, name = os.path.split(self.path)
        for one in os.listdir(folder):
            if one.startswith(f"{name}.") and one.endswith(_NEW):
                with suppress(FileNotFoundError):
                    os.unlink(os.path.join(folder, one))

    def _unwritable(self, error: OSError) -> CliError:
        return CliError(because(tr("cannot write {path}", path=self.path), of_system(error)))


def logins() -> Logins:
    """This person's."""
    return Logins(path())


def _lock(file: int) -> None:
    try:
        import fcntl
    except ImportError:
        return
    until = time.monotonic() + _LOCK_SECONDS
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > until:
                message = tr("another command has been renewing or changing the logins for too long: try again")
                raise Unavailable(message) from None
            time.sleep(_LOCK_AGAIN_SECONDS)
        except OSError:
            return  # a file system without locks
        else:
            return


def _sync_folder(folder: str) -> None:
    """The new name is there also after a loss of power; not every system can."""
    with suppress(OSError):
        file = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(file)
        finally:
            os.close(file)
