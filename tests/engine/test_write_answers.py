"""What became of a request: the words in the database are those of every earlier version."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubemin.engine.journal.rows import Write
from kubemin.spec.states import WriteKind
from kubemin.spec.write_answer import WriteAnswer, WriteOutcome

STORED = {
    "unsent": (WriteAnswer.unsent(), False),
    "refused 409": (WriteAnswer.refused(409), False),
    "refused None": (WriteAnswer.refused(None), False),
    "done 17": (WriteAnswer.done("17"), True),
    "done": (WriteAnswer.done(), True),
    "seen 18": (WriteAnswer.seen("18"), True),
}


@pytest.mark.parametrize("text", STORED)
def test_the_database_s_words_mean_what_they_meant(text: str) -> None:
    answer, wrote = STORED[text]
    assert str(answer) == text
    assert WriteAnswer.read(text) == answer
    write = Write("t.1", WriteKind.CREATE, 1, answer=answer)
    assert (write.open, write.may_have_written) == (False, wrote)


def test_without_an_answer_a_request_may_have_done_anything() -> None:
    write = Write("t.1", WriteKind.CREATE, 1)
    assert (write.open, write.may_have_written) == (True, True)


@given(st.sampled_from(WriteOutcome), st.text())
def test_what_is_written_is_read_again(outcome: WriteOutcome, detail: str) -> None:
    answer = WriteAnswer(outcome, detail)
    assert WriteAnswer.read(str(answer)) == answer


def test_an_unknown_outcome_is_an_error() -> None:
    with pytest.raises(ValueError, match="gone"):
        WriteAnswer.read("gone 3")
