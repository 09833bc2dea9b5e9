"""The JSON Schema of an application. It is made of the models by `make reference`, and lies beside them."""

from importlib.resources import files

NAME = "application.schema.json"


def schema_text() -> str:
    """The schema, draft 2020-12, as JSON."""
    return (files("kubemin.spec") / NAME).read_text(encoding="utf-8")
