"""SIGINT, SIGTERM and SIGHUP of a command that waits: they are looked at where it waits, and tear nothing else."""

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from enum import StrEnum
from types import FrameType
from typing import Any, TypeVar

from kubemin.cli.by_code import refused
from kubemin.cli.exits import CliError, Exit
from kubemin.cli.language import key, tr
from kubemin.cli.output import complain, outliving_readers
from kubemin.client.errors import Unavailable
from kubemin.client.patience import Patience as ClientPatience

T = TypeVar("T")

_AGAIN = key("`kubemin tasks` shows how it goes on")
_NUMBERS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class OnSignal(StrEnum):
    """What a signal does to the task that a command has begun and waits for."""

    CANCEL = "cancel"
    DETACH = "detach"


class Interrupted(BaseException):
    """One of the signals came. No exception of other kinds, so that nothing on its way up takes it for a fault."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


class Interrupts(AbstractContextManager["Interrupts"]):
    """Catches the signals while the context is open.

    One that comes in `waiting` ends that; another one is kept until the command waits next. Only a second Ctrl-C is
    never kept: whoever presses it does not want to wait for an answer.
    """

    def __init__(self, on_signal: OnSignal | None = None) -> None:
        """``on_signal``: of a command that has begun what it waits for; None where it only watches."""
        self.on_signal = on_signal
        self._kept: list[int] = []
        self._waits = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> "Interrupts":
        # SIGINT also where it is ignored: a shell starts background jobs so. SIGHUP is left to `nohup`.
        numbers = [one for one in _NUMBERS if one is signal.SIGINT or signal.getsignal(one) is not signal.SIG_IGN]
        self._before = {number: signal.signal(number, self._came) for number in numbers}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _came(self, number: int, _frame: FrameType | None) -> None:
        if self._waits or (number == signal.SIGINT and number in self._kept):
            self._waits = False
            raise Interrupted(number)
        self._kept.append(number)

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """A wait that ends with `Interrupted` when a signal comes, or has come since the last one."""
        try:
            self._waits = True
            if self._kept:
                raise Interrupted(self._kept.pop(0))
            yield
        finally:
            self._waits = False

    def sleep(self, seconds: float) -> None:
        """Wait so long. Raises `Interrupted`."""
        with self.waiting():
            time.sleep(seconds)

    def answered(self, ask: Callable[[], T], patience: ClientPatience) -> T:
        """Ask until there is an answer. Raises what ``patience`` does, and `Interrupted` while nobody answers."""
        while True:
            try:
                found = ask()
            except Unavailable as error:
                self.sleep(patience.failed(error))
            else:
                patience.answered()
                return found

    def forget(self) -> None:
        """What came until now is dealt with: one press, or one end of a pipeline, may send several."""
        self._kept.clear()


@contextmanager
def seeing_it_through(on_signal: OnSignal | None) -> Iterator[Interrupts | None]:
    """For a command that begins something, and waits for its end; with None it does not wait, and nothing is caught.

    It goes on when nobody reads what it prints any more. Raises :class:`CliError` where it is left.
    """
    if on_signal is None:
        yield None
        return
    with outliving_readers(), Interrupts(on_signal) as interrupts:
        try:
            yield interrupts
        except Interrupted as signal:
            sentence = tr("left before the server answered; `kubemin tasks` shows what it does")
            raise left(sentence, signal) from None


def left(sentence: str, by: Interrupted) -> CliError:
    """That a signal ended the command, and that what it leaves goes on."""
    return CliError(sentence, Exit.LEFT + by.number)


def patience(again: str = _AGAIN) -> "Patience":
    """Tells of it on stderr."""
    return Patience(lambda text: complain(f"kubemin: {text}"), again)


class Patience(ClientPatience):
    """Tells at once of a server that does not answer, and for how long it is waited for."""

    def __init__(self, tell: Callable[[str], None], again: str) -> None:
        """``again``: what to do once it has been away too long, which is a :class:`CliError`."""
        super().__init__()
        self._tell = tell
        self._again = again

    def lost(self, error: Unavailable) -> None:
        """Tell it."""
        seconds, why = f"{self.seconds:.0f}", refused(None, error.message)
        self._tell(tr("the server does not answer; it is waited for for {seconds} s ({why})", seconds=seconds, why=why))

    def back(self) -> None:
        """Tell it."""
        self._tell(tr("the server answers again"))

    def too_long(self, error: Unavailable) -> CliError:
        """The end of the command."""
        why = refused(None, error.message)
        lost = tr("lost the server: {why}. What it was asked to do goes on; {again}", why=why, again=tr(self._again))
        return CliError(lost, Exit.LOST)
