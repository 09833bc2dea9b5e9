"""Every YAML block of the pages is taken as it stands, and the plan shown below one is its plan."""

import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml

from kubemin.cli.plan_text import describe
from kubemin.notifications.targets import parse_targets
from kubemin.plan import make_plan
from kubemin.render import render
from kubemin.spec.application import Application, parse_application
from kubemin.spec.component_types import COMPONENT_TYPES
from kubemin.spec.issues import IssueCode
from kubemin.spec.limits import Limits
from kubemin.spec.traits import TRAITS
from tests.docs.markdown import ROOT, Block, Page, pages

_WORD = re.compile(r"\w+")
_FILLED_IN = re.compile(r"\$\{\{ (env|file)\.[^}]*\}\}")
"""What the command line puts a text for, before anybody else reads the file."""

FORMAT = Path("docs/format.md")
BLOCKS = [block for page in pages() for block in page.fenced()]
EXAMPLES = [block for block in BLOCKS if block.language == "yaml"]
PLANS = [
    (block, below)
    for block, below in pairwise(BLOCKS)
    if block.language == "yaml" and below.text.startswith("stage 1:") and block.page is below.page
]


def application(block: Block) -> Application | None:
    """The application that a block shows: a whole one (of several the first), or its components. None for other YAML.

    Other YAML is Kubernetes', or a file that the page's commands use, or what another program reads and no test runs.
    """
    documents = [item for item in yaml.safe_load_all(_FILLED_IN.sub("given", block.text)) if item is not None]
    limits = Limits(allow_host_path="hostPath" in block.text)
    if any(isinstance(one, dict) and "component" in one for one in documents):
        first, *_ = [parse_application(one, limits) for one in documents]
        return first
    document = documents[0]
    if isinstance(document, dict) and ("apiVersion" in document or block.file or block.not_run):
        return None
    assert isinstance(document, list), f"{block} is neither an application nor a list of components"
    if {"url", "urlFile"} & set(document[0]):
        assert parse_targets(block.text), "whom a server tells what happens"
        return None
    data: dict[str, Any] = {"name": "example", "component": document}
    return parse_application(data, limits)


def plan_of(app: Application) -> str:
    """What `kubemin plan` prints."""
    return describe(make_plan(app, render(app), app.workflow or []))


@pytest.mark.parametrize("block", EXAMPLES, ids=str)
def test_examples_are_taken(block: Block) -> None:
    if (app := application(block)) is not None:
        assert plan_of(app)


@pytest.mark.parametrize(("block", "below"), PLANS, ids=str)
def test_plans_are_what_they_are_shown_to_be(block: Block, below: Block) -> None:
    app = application(block)
    assert app is not None
    assert plan_of(app) == below.text


def test_every_component_type_and_trait_has_an_example() -> None:
    apps = [app for block in EXAMPLES if str(block.page) == str(FORMAT) and (app := application(block))]
    parts = [part for app in apps for part in app.component]
    assert {part.type for part in parts} == set(COMPONENT_TYPES)
    given = {trait.field for trait in TRAITS for part in parts if getattr(part.traits, trait.field)}
    assert given == {trait.field for trait in TRAITS}


def test_every_code_is_explained() -> None:
    text = (ROOT / FORMAT).read_text()
    missing = [code for code in IssueCode if f"`{code}`" not in text]
    assert not missing, ", ".join(missing)


def test_every_field_is_explained() -> None:
    """Each field of the format stands somewhere as code, in its spelling on the wire."""
    page = Page(ROOT / FORMAT)
    code = {word for text in (*page.spans(), *(block.text for block in page.fenced())) for word in _WORD.findall(text)}
    missing = sorted(_fields(Application.model_json_schema()) - code)
    assert not missing, ", ".join(missing)


def _fields(schema: dict[str, Any]) -> set[str]:
    models = [schema, *schema.get("$defs", {}).values()]
    return {name for model in models for name in model.get("properties", {})}
