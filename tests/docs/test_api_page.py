"""docs/api.md has every option of a run, with its default."""

import re

from kubemin.api.models.tasks import Exec
from kubemin.engine.options import ExecOptions
from tests.docs.markdown import ROOT, Page

PAGE = Page(ROOT / "docs" / "api.md")
TEXT = PAGE.path.read_text()


def test_the_options_of_a_run() -> None:
    for name, field in Exec.model_fields.items():
        alias = str(field.alias)
        row = re.search(rf"^\| `{alias}` \|([^|]*)\|", TEXT, re.MULTILINE)
        assert row, f"{alias} is not explained"
        default = getattr(ExecOptions(), name, None)
        if default is not None:
            assert row[1].strip(" `") == str(default).lower()
