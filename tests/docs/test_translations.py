"""A page in Chinese says what its English page says: the same headings, commands, files and links."""

import re

import pytest

from tests.docs.markdown import ROOT, Page

_HAN = re.compile(r"[\u4e00-\u9fff]")
_COMMENT = re.compile(r"\s+#.*$", re.MULTILINE)
_EXAMPLES = {"yaml", "json", "sh", "nginx", "toml"}
"""What is the same in both languages, but for comments. What a command prints is not."""

TRANSLATED = [
    (Page(english), Page(chinese))
    for english, chinese in [
        (ROOT / "README.md", ROOT / "README.zh-CN.md"),
        *((ROOT / "docs" / one.name, one) for one in sorted((ROOT / "docs" / "zh").glob("*.md"))),
    ]
]


def _headings(page: Page) -> list[str]:
    return [line.partition(" ")[0] for line in page.prose.splitlines() if line.startswith("#")]


def _commands(text: str) -> list[str]:
    return ["\n".join(found) for found in re.findall(r"^\$ (.*(?:\\\n.*)*)()", text, re.MULTILINE)]


def _same_in_both(page: Page) -> list[tuple[str, object]]:
    """Each block: its language, and its commands, or all of it where it is an example."""
    return [
        (block.language, _COMMENT.sub("", block.text) if block.language in _EXAMPLES else _commands(block.text))
        for block in page.fenced()
    ]


def _links(page: Page, other: Page) -> list[str]:
    """Where it links to, beside the same page in the other language."""
    outside = [link for link in page.links() if "://" in link]
    inside = [str((page.path.parent / link).resolve()) for link in page.links() if "://" not in link]
    assert str(other.path) in inside
    return sorted(outside + [path for path in inside if path != str(other.path)])


@pytest.mark.parametrize(("english", "chinese"), TRANSLATED, ids=lambda page: str(page))
def test_both_have_the_same_commands_headings_and_links(english: Page, chinese: Page) -> None:
    assert _headings(chinese) == _headings(english)
    assert _same_in_both(chinese) == _same_in_both(english)
    assert _links(chinese, english) == _links(english, chinese)


@pytest.mark.parametrize("page", [chinese for _, chinese in TRANSLATED], ids=str)
def test_each_paragraph_is_in_chinese(page: Page) -> None:
    prose = re.sub(r"<!--.*?-->", "", page.prose, flags=re.DOTALL)
    for part in prose.split("\n\n"):
        text = re.sub(r"`[^`]*`|\[[^]]*\]\([^)]*\)|https?://\S+|^[#|>\s-]+|KubeMin", "", part)
        assert _HAN.search(text) or not re.search(r"[A-Za-z]{3}", text), part
