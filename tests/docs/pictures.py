"""The pictures of the documentation: `tests/page/test_pictures.py` takes them, pages show them."""

from typing import Literal

from tests.docs.markdown import ROOT

Scheme = Literal["light", "dark"]

SIZE = (1280, 720)
"""Width and height."""
FOLDER = ROOT / "docs" / "pictures"
SCHEMES: tuple[Scheme, Scheme] = ("light", "dark")
STORY = ("applications", "application", "plan", "task", "cancel", "rolled-back")
"""In the order in which they are taken."""


def file_of(name: str, scheme: Scheme) -> str:
    """The file of a picture."""
    return f"{name}-{scheme}.png"
