"""Applications and objects as YAML that can be applied again."""

from io import StringIO
from typing import Any

_TEXT = "tag:yaml.org,2002:str"
_BOOLEANS = frozenset("yYnN")
"""Read as such by some, and by no standard."""


def yaml_text(value: Any) -> str:
    """YAML that `parse` reads as the very same value, and so do readers of YAML 1.1, such as kubectl.

    Keys are in their order, and texts of several lines are such.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.nodes import ScalarNode
    from ruamel.yaml.representer import SafeRepresenter
    from ruamel.yaml.resolver import VersionedResolver

    former = VersionedResolver(version="1.1")

    class Representer(SafeRepresenter):
        """Of its own, as representers are the class's."""

    def text(representer: SafeRepresenter, data: str) -> ScalarNode:
        plain = all(char.isprintable() or char == "\n" for char in data)
        block = plain and "\n" in data and not any(line[-1:].isspace() for line in data.split("\n"))
        style = "|" if block else None if plain and "\n" not in data else '"'
        if style is None and (data in _BOOLEANS or former.resolve(ScalarNode, data, (True, False)) != _TEXT):
            style = "'"
        return representer.represent_scalar(_TEXT, data, style=style)

    Representer.add_representer(str, text)
    yaml = YAML(typ="safe", pure=True)
    yaml.Representer = Representer
    yaml.default_flow_style = False
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    yaml.width = 4096
    yaml.allow_unicode = True
    stream = StringIO()
    yaml.dump(value, stream)
    return stream.getvalue()
