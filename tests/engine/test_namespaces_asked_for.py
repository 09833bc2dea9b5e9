"""A run that took nothing out of a namespace asks the cluster for none."""

import pytest

from kubemin.engine.cleanup.letting_go import namespaces_to_remove
from kubemin.engine.journal.rows import Resource
from kubemin.spec.objects import ObjectRef
from kubemin.spec.states import Purpose
from kubesim.faults import Fault
from tests.engine.held import Held


@pytest.mark.parametrize("names", [(), ("",), ("going",)], ids=["none", "of the whole cluster", "goes already"])
async def test_where_no_namespace_is_in_question_none_is_asked_for(held: Held, names: tuple[str, ...]) -> None:
    going = Resource(seq=1, job_seq=1, ref=ObjectRef("Namespace", "", "going"), purpose=Purpose.REMOVE)
    held.journal.resources[going.seq] = going
    armed = held.sim.faults.add(Fault("status", verb="list", resource="namespaces", code=403, times=None))
    assert await namespaces_to_remove(held.journal, held.cluster, names) == []
    assert armed.strikes == 0
