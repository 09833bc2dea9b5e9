"""The page's words: the same in both languages, and none is missing."""

import json
import re
from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable

from kubemin.cli.by_code import API, ISSUES, WARNINGS
from kubemin.spec.reason_codes import ReasonCode


def said(language: str) -> dict[str, str]:
    """Its text, by key."""
    text = (files("kubemin") / "page" / "words.js").read_text(encoding="utf-8")
    (block,) = re.findall(rf"^  {language}: \{{$(.*?)^  \}},$", text, re.MULTILINE | re.DOTALL)
    found = re.findall(r'^    (\w+):\s+"(.*)",$', block, re.MULTILINE)
    assert len(found) == len(dict(found)) == block.count('",\n')
    return dict(found)


def words(language: str) -> dict[str, set[str]]:
    """By key: the places in its text that values are put into."""
    return {key: set(re.findall(r"\{\d\}", value)) for key, value in said(language).items()}


def scripts(folder: Traversable) -> Iterator[str]:
    """The text of each script of the page's own."""
    for one in folder.iterdir():
        if one.is_dir() and one.name != "vendor":
            yield from scripts(one)
        elif one.name.endswith(".js"):
            yield one.read_text(encoding="utf-8")


def test_both_languages_say_the_same() -> None:
    assert words("en") == words("zh")


def test_what_is_said_has_words() -> None:
    said = {key for text in scripts(files("kubemin") / "page") for key in re.findall(r'\bsay\(\s*"(\w+)"', text)}
    assert said
    assert said <= words("en").keys()


def test_codes_mean_the_same_on_the_page_and_on_the_command_line() -> None:
    chinese = json.loads((files("kubemin") / "cli" / "zh.json").read_text(encoding="utf-8"))
    text = (files("kubemin") / "page" / "codes.js").read_text(encoding="utf-8")
    tables = dict(re.findall(r"^const ([A-Z]+) = \{$(.*?)^\};$", text, re.MULTILINE | re.DOTALL))
    said = {name: dict(re.findall(r'^  (\w+): "(.*)",$', body, re.MULTILINE)) for name, body in tables.items()}
    assert said == {
        "ERRORS": {str(code): chinese[sentence] for code, sentence in API.items()},
        "MISTAKES": {code: chinese[sentence] for code, sentence in ISSUES.items()},
        "WARNINGS": {code: chinese[sentence] for code, sentence in WARNINGS.items()},
        "ADVICE": {code.value: chinese[code.advice] for code in ReasonCode},
    }
