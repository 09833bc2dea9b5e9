"""The site: `make docs` builds it from this folder. Nothing in it comes from elsewhere when it is read."""

import logging

from pygments.lexers.special import TextLexer
from sphinx.application import Sphinx

project = "KubeMin"
copyright = "KubeMin's authors, Apache-2.0"  # noqa: A001 - the name that Sphinx reads
extensions = ["myst_parser"]
html_theme = "furo"
html_title = "KubeMin"
html_copy_source = False
html_show_sphinx = False
templates_path: list[str] = []
exclude_patterns = ["pictures/README.md"]

myst_heading_anchors = 4  # links to headings as a forge has them
nitpicky = True


def setup(app: Sphinx) -> None:
    """Diagrams are shown as the text that they are: what draws them would be a script from elsewhere."""
    app.add_lexer("mermaid", TextLexer)
    # A section whose pages are not written yet is no mistake. Sphinx gives this warning no type to suppress it by.
    logging.getLogger("sphinx.sphinx.directives.other").addFilter(_is_no_empty_section)


def _is_no_empty_section(record: logging.LogRecord) -> bool:
    return getattr(record, "subtype", None) != "empty_glob"
