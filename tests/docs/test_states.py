"""The state diagrams of docs/architecture.md have the states of the code, and nothing leaves a state that is final."""

import re
from enum import StrEnum

import pytest

from kubemin.spec.states import Cleanup, JobStatus, ResourceState, RevisionState, TaskStatus
from tests.docs.markdown import ROOT, Block, Page

DIAGRAMS = [block for block in Page(ROOT / "docs" / "architecture.md").fenced() if block.language == "mermaid"]
STATES = (TaskStatus, Cleanup, ResourceState, JobStatus, RevisionState)
ARROW = re.compile(r"^    (\S+) --> (\S+)(?: : [\w ,().-]+)?$")

# Set by nothing, as the page says.
UNUSED: set[StrEnum] = {TaskStatus.REJECT}


def arrows(block: Block) -> list[tuple[str, str]]:
    first, *lines = block.text.splitlines()
    assert first == "stateDiagram-v2"
    found = [ARROW.match(line) for line in lines]
    assert all(found), f"{block} holds a line that GitHub might not draw"
    return [(match[1], match[2]) for match in found if match]


@pytest.mark.parametrize(("block", "states"), list(zip(DIAGRAMS, STATES, strict=True)), ids=str)
def test_the_states_are_those_of_the_code(block: Block, states: type[StrEnum]) -> None:
    drawn = {name for arrow in arrows(block) for name in arrow} - {"[*]"}
    assert drawn == {str(state) for state in states if state not in UNUSED}


@pytest.mark.parametrize(("block", "states"), [(DIAGRAMS[0], TaskStatus), (DIAGRAMS[3], JobStatus)], ids=str)
def test_nothing_leaves_an_end(block: Block, states: type[TaskStatus] | type[JobStatus]) -> None:
    undone = (str(JobStatus.COMPLETED), str(JobStatus.CANCELLED))  # a job whose step is put back
    for begin, end in arrows(block):
        if states is JobStatus and (begin, end) == undone:
            continue
        assert begin == "[*]" or end == "[*]" or not states(begin).ended, f"{begin} --> {end}"
