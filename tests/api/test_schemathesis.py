"""The document against the server: whatever it allows is taken or refused as it says, and nothing breaks."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from kubemin.api import openapi
from kubemin.api.app import routes
from tests.cli.kubemin import Kubemin

if TYPE_CHECKING:  # whose import takes a second of every process that collects the tests
    import schemathesis


ENDLESS = "/api/v1/events"
"""A stream without an end: nobody can wait for its answer."""


def _cases() -> Iterator[tuple[str, str, str]]:
    paths = openapi.document(routes())["paths"]
    for path, verbs in ((path, verbs) for path, verbs in paths.items() if path != ENDLESS):
        for method, operation in verbs.items():
            yield "positive", method.upper(), path
            places = {parameter["in"] for parameter in operation.get("parameters", [])}
            if "requestBody" in operation or places - {"path"}:  # any text may be put into a path
                yield "negative", method.upper(), path


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with Kubemin(tmp_path_factory.mktemp("server")).dev() as running:
        yield running.url


@pytest.fixture(scope="module")
def schema(server: str) -> "schemathesis.BaseSchema":
    import schemathesis

    return schemathesis.openapi.from_url(f"{server}/openapi.json")


@pytest.fixture(scope="module")
def there(server: str) -> dict[str, str]:
    """Ids that exist: without them every path would end in a 404."""
    with httpx.Client(base_url=f"{server}/api/v1") as http:
        app = {"name": "there", "component": [{"name": "part", "type": "config", "properties": {"conf": {"a": "b"}}}]}
        app_id = http.post("/applications", json=app).json()["data"]["id"]
        task_id = http.post(f"/applications/{app_id}/workflow/exec", json={}).json()["data"]["taskId"]
    return {"app_id": app_id, "task_id": task_id}


@pytest.mark.hypothesis
@pytest.mark.parametrize("examples", [4, pytest.param(200, marks=pytest.mark.proof)])
@pytest.mark.parametrize(("mode", "method", "path"), list(_cases()))
def test_nothing_breaks(
    schema: "schemathesis.BaseSchema",
    there: dict[str, str],
    mode: str,
    method: str,
    path: str,
    examples: int,
) -> None:
    from schemathesis import GenerationMode
    from schemathesis.specs.openapi.checks import positive_data_acceptance

    @given(case=schema[path][method].as_strategy(generation_mode=GenerationMode(mode)), real=st.booleans())
    @settings(
        max_examples=examples,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.explicit, Phase.generate, Phase.shrink],
    )
    def check(case: "schemathesis.Case[Any]", real: bool) -> None:
        if real and method != "DELETE":
            case.path_parameters.update({name: there[name] for name in case.path_parameters if name in there})
        # What names must look like and which components a step may name is more than a schema can say.
        case.call_and_validate(excluded_checks=[positive_data_acceptance])

    check()
