"""The key protocol of design §5: names, tokens and the Lua that decides. Nothing here does input or output.

A task's key holds one of three things:

* ``<epoch>:<random>``, the token of the worker that runs the task;
* ``cancelled:<reason>``, the mark of a cancel;
* anything else, written by hand: a cancel too, with the value as its reason.

Beside it lies a sentinel with the same life. Key gone and sentinel there: someone deleted the key. Both gone: Redis
lost its data, which is no reason to cancel anything.
"""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

PREFIX = "kubemin:workflow:cancel:"
CHANNEL = "kubemin:workflow:cancel"
MARK = "cancelled:"


def key_of(task_id: str) -> str:
    """The key on which a task's worker and whoever cancels it meet."""
    return PREFIX + task_id


def sentinel_of(task_id: str) -> str:
    """The key that is lost when the data is. Its hash tag is the whole first key: a Cluster puts both in one slot."""
    return f"kubemin:workflow:sentinel:{{{key_of(task_id)}}}"


def new_token(epoch: int) -> str:
    """A token that no one else has."""
    return f"{epoch}:{secrets.token_hex(8)}"


@dataclass(frozen=True, slots=True)
class Script:
    """A Lua script and the name under which a server keeps it."""

    text: str

    @property
    def sha(self) -> str:
        """What EVALSHA calls it."""
        return hashlib.sha1(self.text.encode(), usedforsecurity=False).hexdigest()


class KeyState(Enum):
    """What a refresh found, a cancel mark aside."""

    OURS = 0
    """Claimed or extended."""
    GONE = 1
    """Deleted, if our last refresh was young enough; nothing was written."""
    TAKEN = 2
    """Someone else's, under a later claim; nothing was written."""
    KEPT = 3
    """Ours, and not yet due to be extended; nothing was written."""


# KEYS: the keys of all tasks, then their sentinels. ARGV: time to live in ms, then of each task: token, epoch, and the
# letters of `KeyRefresh.flags`. The answer has one element a task: a number as in Verdict, or the text of the mark.
# What the server does grows with the tasks only where it must: one MGET looks at all keys, and a token that is there is
# extended only when that is due.
# The key is looked at before the sentinel, and both expire together: an expiry never looks like a deletion. Between
# equal epochs the later claim wins, so that one worker that watches a task again is not shut out by its old token.
REFRESH = Script("""\
local count = #KEYS / 2
local ttl = ARGV[1]
local values = redis.call('MGET', unpack(KEYS, 1, count))
local found = {}
for i = 1, count do
  local key, sentinel, value = KEYS[i], KEYS[count + i], values[i]
  local token, epoch, flags = ARGV[3 * i - 1], tonumber(ARGV[3 * i]), ARGV[3 * i + 1]
  local held, fresh = string.find(flags, 'h'), string.find(flags, 'f')
  if value == false then -- MGET says so of what is no string, too
    value = redis.pcall('GET', key)
  end
  local theirs = type(value) == 'string' and string.match(value, '^(%d+):%x+$')
  if value == token and not string.find(flags, 'd') then
    found[i] = 3
  elseif value == token then
    redis.call('PEXPIRE', key, ttl)
    redis.call('SET', sentinel, token, 'PX', ttl)
    found[i] = 0
  elseif value == false and fresh and redis.call('EXISTS', sentinel) == 1 then
    found[i] = 1
  elseif value == false or (theirs and (tonumber(theirs) < epoch or (tonumber(theirs) == epoch and not held))) then
    redis.call('SET', key, token, 'PX', ttl)
    redis.call('SET', sentinel, token, 'PX', ttl)
    found[i] = 0
  elseif theirs then
    found[i] = 2
  else
    found[i] = type(value) == 'string' and string.sub(value, 1, 2000) or 'the signal key is no longer a string'
  end
end
return found
""")

# KEYS: key, sentinel. ARGV: token. The sentinel goes with the key: a deletion of ours must not look like one by hand.
RELEASE = Script("""\
if redis.pcall('GET', KEYS[1]) == ARGV[1] then
  return redis.call('DEL', KEYS[1], KEYS[2])
end
return 0
""")

# KEYS: key. ARGV: mark, its time to live in ms, channel, task id.
CANCEL = Script("""\
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return redis.call('PUBLISH', ARGV[3], ARGV[4])
""")


@dataclass(frozen=True, slots=True)
class KeyRefresh:
    """One task's share of a refresh."""

    task_id: str
    token: str
    epoch: int
    held: bool
    """Whether we held the key before."""
    fresh: bool
    """Whether our last refresh is younger than the time to live."""
    due: bool
    """Whether the key is to be extended."""

    @property
    def flags(self) -> str:
        """A letter for each that is so."""
        return "h" * self.held + "f" * self.fresh + "d" * self.due


def refresh_arguments(refreshes: Sequence[KeyRefresh], ttl: float) -> tuple[list[str], list[str]]:
    """KEYS and ARGV of REFRESH; ``ttl`` in seconds."""
    keys = [key_of(refresh.task_id) for refresh in refreshes] + [sentinel_of(refresh.task_id) for refresh in refreshes]
    argv = [str(max(1, round(ttl * 1000)))]
    for refresh in refreshes:
        argv += [refresh.token, str(refresh.epoch), refresh.flags]
    return keys, argv


def read_reply(element: int | bytes) -> KeyState | str:
    """One element of REFRESH's answer: a verdict, or the reason of a cancel."""
    if isinstance(element, int):
        return KeyState(element)
    return element.decode(errors="replace").removeprefix(MARK)
