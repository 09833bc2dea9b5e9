"""docs/api.md lists each code of a failure, with its advice."""

import re

from kubemin.spec.reason_codes import ReasonCode
from tests.docs.markdown import ROOT


def test_each_code_is_listed_with_its_advice() -> None:
    page = (ROOT / "docs" / "api.md").read_text()
    table = page[page.index("| `reasonCode` |") :].partition("\n\n")[0]
    listed = dict(re.findall(r"^\| `([A-Z_]+)` \| [^|]+ \| ([^|]+) \|$", table, re.MULTILINE))
    assert listed == {str(code): code.advice for code in ReasonCode}
