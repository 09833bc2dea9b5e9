"""What the random applications are made of."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from kubemin.render import Rendered, render
from kubemin.spec.application import parse_application
from tests.proof import manifests
from tests.proof.extras import EXTRAS
from tests.proof.script import Part

_ALL = [(extra, kind) for extra, facts in EXTRAS.items() for kind in facts.types]
_ALL += [(extra, "manifests") for extra in manifests.EXTRAS]


def rendered(parts: tuple[Part, ...]) -> Sequence[Rendered]:
    data = {"name": "shop", "component": [part.component("shop") for part in parts]}
    return render(parse_application(data, manifests.LIMITS))


@pytest.mark.parametrize(("extra", "kind"), _ALL)
@pytest.mark.parametrize("version", [1, 2])
def test_each_extra_is_a_field_that_is_rendered_as_the_kinds_that_it_names(extra: str, kind: str, version: int) -> None:
    served = extra in EXTRAS and EXTRAS[extra].served
    part = Part("a", kind, version, ports=served, volume=extra == "grows", extras=(extra,))
    if extra in ("rolls", "mounted"):
        part = replace(part, reads="config b")
    parts = (part, Part("b"))
    made = rendered(parts)
    assert {manifests.kind_in_script(one.manifest) for one in made if one.component == "a"} == set(part.kinds)
    without = rendered((replace(part, extras=()), Part("b")))
    plain = extra == "rolls" and kind in ("job", "cronjob")  # a Job is not replaced
    grown = extra == "grows" and version == 1
    assert made != without or plain or grown or extra == "auto"
