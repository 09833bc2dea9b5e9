"""The document against the server: whatever it allows is taken or refused as it says, and nothing breaks."""

from collections.abc import Iterator
from typing import Any, cast

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.specs.openapi.checks import positive_data_acceptance

from kubemin.api import openapi
from kubemin.api.app import create_app
from kubemin.api.deps import Deps
from kubemin.spec.limits import Limits
from tests.cli.kubemin import Kubemin

_EXAMPLES = 40


def document() -> dict[str, Any]:
    """The document alone: no part of the server is asked for it."""
    nothing = cast("Any", None)
    return openapi.document(create_app(Deps(db=nothing, service=nothing, limits=Limits(), component_states=nothing)))


def _cases() -> Iterator[tuple[schemathesis.GenerationMode, str, str]]:
    for path, verbs in document()["paths"].items():
        for method, operation in verbs.items():
            yield schemathesis.GenerationMode.POSITIVE, method.upper(), path
            places = {parameter["in"] for parameter in operation.get("parameters", [])}
            if "requestBody" in operation or places - {"path"}:  # any text may be put into a path
                yield schemathesis.GenerationMode.NEGATIVE, method.upper(), path


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with Kubemin(tmp_path_factory.mktemp("server")).dev() as running:
        yield running.url


@pytest.fixture(scope="module")
def schema(server: str) -> schemathesis.BaseSchema:
    return schemathesis.openapi.from_url(f"{server}/openapi.json")


@pytest.mark.parametrize(("mode", "method", "path"), list(_cases()))
def test_nothing_breaks(
    schema: schemathesis.BaseSchema, mode: schemathesis.GenerationMode, method: str, path: str
) -> None:
    @given(case=schema[path][method].as_strategy(generation_mode=mode))
    @settings(
        max_examples=_EXAMPLES,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.explicit, Phase.generate, Phase.shrink],
    )
    def check(case: schemathesis.Case) -> None:
        # What names must look like and which components a step may name is more than a schema can say.
        case.call_and_validate(excluded_checks=[positive_data_acceptance])

    check()
