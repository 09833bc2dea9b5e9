"""The keys of design §5: names, tokens and the Lua scripts that read and write them. No input or output here.

A task's key holds one of three things:

* ``<epoch>:<random>``, the token of the worker that runs the task;
* ``cancelled:<reason>``, the mark of a cancel;
* anything else, written by hand: this is a cancel too, and the value is its reason.

A second key, the sentinel, expires at the same time. If only the sentinel is there, someone deleted the key. If both
are absent, Redis lost its data; that cancels nothing.
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
    """The key of a task: its worker holds it, and a cancel overwrites it."""
    return PREFIX + task_id


def sentinel_of(task_id: str) -> str:
    """The sentinel of a task. Its hash tag is the whole key of the task, so that a Cluster puts both in one slot."""
    return f"kubemin:workflow:sentinel:{{{key_of(task_id)}}}"


def new_token(epoch: int) -> str:
    """A token that is unique."""
    return f"{epoch}:{secrets.token_hex(8)}"


@dataclass(frozen=True, slots=True)
class Script:
    """A Lua script, and the digest by which a server knows it."""

    text: str

    @property
    def sha(self) -> str:
        """The digest that EVALSHA takes."""
        return hashlib.sha1(self.text.encode(), usedforsecurity=False).hexdigest()


class KeyState(Enum):
    """What a refresh found, if it found no cancel."""

    OURS = 0
    """The key is ours: it was written or extended."""
    GONE = 1
    """Someone deleted the key, if our last refresh is recent enough. Nothing was written."""
    TAKEN = 2
    """Another worker's, with a later epoch. Nothing was written."""
    KEPT = 3
    """Ours, and not to be extended yet. Nothing was written."""


# KEYS: the keys of all tasks, then their sentinels. ARGV: time to live in ms, then of each task: token, epoch, and the
# letters of `KeyRefresh.flags`. The reply has one element for each task: a number as in KeyState, or the text of the
# mark. To keep Redis's work small, one MGET reads all keys, and a key is extended only when that is due.
# The key is read before the sentinel, and both expire together: so an expiry never looks like a deletion. If two tokens
# have the same epoch, the one that is written later wins: a worker that watches a task again replaces its old token.
REFRESH = Script("""\
local count = #KEYS / 2
local ttl = ARGV[1]
local values = redis.call('MGET', unpack(KEYS, 1, count))
local found = {}
for i = 1, count do
  local key, sentinel, value = KEYS[i], KEYS[count + i], values[i]
  local token, epoch, flags = ARGV[3 * i - 1], tonumber(ARGV[3 * i]), ARGV[3 * i + 1]
  local held, fresh = string.find(flags, 'h'), string.find(flags, 'f')
  if value == false then -- MGET returns false also for a key that is no string
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

# KEYS: key, sentinel. ARGV: token. Both keys go together: else our own deletion would look like one by hand.
RELEASE = Script("""\
if redis.pcall('GET', KEYS[1]) == ARGV[1] then
  return redis.call('DEL', KEYS[1], KEYS[2])
end
return 0
""")

# KEYS: key. ARGV: mark, its time to live in ms, channel, message: the task's id and the mark.
CANCEL = Script("""\
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return redis.call('PUBLISH', ARGV[3], ARGV[4])
""")


@dataclass(frozen=True, slots=True)
class KeyRefresh:
    """One task of a refresh."""

    task_id: str
    token: str
    epoch: int
    held: bool
    """Whether we held the key before."""
    fresh: bool
    """Whether our last refresh is younger than the time to live, so that the key cannot have expired."""
    due: bool
    """Whether the key is to be extended."""

    @property
    def flags(self) -> str:
        """One letter for each of the three that is true."""
        return "h" * self.held + "f" * self.fresh + "d" * self.due


def refresh_arguments(refreshes: Sequence[KeyRefresh], ttl: float) -> tuple[list[str], list[str]]:
    """KEYS and ARGV of REFRESH; ``ttl`` in seconds."""
    keys = [key_of(refresh.task_id) for refresh in refreshes] + [sentinel_of(refresh.task_id) for refresh in refreshes]
    argv = [str(max(1, round(ttl * 1000)))]
    for refresh in refreshes:
        argv += [refresh.token, str(refresh.epoch), refresh.flags]
    return keys, argv


def read_reply(element: int | bytes) -> KeyState | str:
    """One element of REFRESH's reply: the state of the key, or the reason of a cancel."""
    if isinstance(element, int):
        return KeyState(element)
    return element.decode(errors="replace").removeprefix(MARK)
