"""The numbers of a worker's commits, in the row of its task: whether the row is still the one that they went into.

A database that was restored from a backup, or has gone over to a replica that lagged, may give an epoch out again, and
may know a living lease as it was a moment ago. So each claim has numbers of its own for its commits, whose first is
random, and the row has the highest one that was stored. A holder names the highest one that it knows to be stored.
"""

import secrets

from sqlalchemy import BigInteger, bindparam, case

from kubemin.store.tables import tasks

_SPAN = 1 << 32
"""So many numbers each claim has."""
_CLAIMS = 1 << 30
_ANY = {"of_stored": 0, "of_below": (1 << 63) - 1}
_NUMBER = bindparam("number", type_=BigInteger)

KNOWN = (tasks.c.lease_commits >= bindparam("of_stored"), tasks.c.lease_commits < bindparam("of_below"))
"""Conditions of a statement that is executed with `known`."""
HIGHEST = case((tasks.c.lease_commits < _NUMBER, _NUMBER), else_=tasks.c.lease_commits)
"""What the row has after the commit of this ``number``; 0: as before. A lower one takes nothing away."""


def first() -> int:
    """Where the numbers of a new claim begin."""
    return (1 + secrets.randbelow(_CLAIMS)) * _SPAN


def known(stored: int) -> dict[str, int]:
    """Parameters for `KNOWN`: the row is of the claim that gave the number ``stored``, and has it or a higher one.

    0: any row.
    """
    return {"of_stored": stored, "of_below": (stored // _SPAN + 1) * _SPAN} if stored else _ANY


def is_known(stored: int, by: int) -> bool:
    """The same of a row that was read: ``by`` is the number that it has."""
    return stored <= by < known(stored)["of_below"]
