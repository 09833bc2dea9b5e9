"""Which examples a property test is given: in `make test` the same ones, whatever else runs in the process."""

import sys
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

_JSON = st.recursive(st.integers() | st.text() | st.floats(allow_nan=False), st.lists)


def _drawn() -> list[object]:
    found: list[object] = []

    @settings(settings.get_profile("fixed"), max_examples=60)
    @given(_JSON)
    def draw(value: object) -> None:
        found.append(value)

    draw()
    return found


@pytest.mark.skipif(settings.get_current_profile_name() != "fixed", reason="examples are drawn at random")
def test_two_runs_have_the_same_examples(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also if a module was loaded in between, as happens when other tests ran before this one."""
    first = _drawn()
    module = ModuleType("loaded_in_between")
    module.__file__ = str(tmp_path / "loaded_in_between.py")
    Path(module.__file__).write_text("\n".join(f"N{number} = {number}{number:05}" for number in range(500)))
    monkeypatch.setitem(sys.modules, module.__name__, module)
    assert _drawn() == first
