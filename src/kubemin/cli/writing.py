"""An application as YAML that can be applied again."""

from io import StringIO
from typing import Any


def yaml_text(value: Any) -> str:
    """YAML 1.2 that `parse` reads as the very same value; keys in their order, texts of several lines as such."""
    from ruamel.yaml import YAML
    from ruamel.yaml.nodes import ScalarNode
    from ruamel.yaml.representer import SafeRepresenter

    class Representer(SafeRepresenter):
        """Of its own, as representers are the class's."""

    def text(representer: SafeRepresenter, data: str) -> ScalarNode:
        plain = all(char.isprintable() or char == "\n" for char in data)
        block = plain and "\n" in data and not any(line[-1:].isspace() for line in data.split("\n"))
        style = "|" if block else None if plain and "\n" not in data else '"'
        return representer.represent_scalar("tag:yaml.org,2002:str", data, style=style)

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
