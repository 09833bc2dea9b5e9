"""``/docs``: the OpenAPI document as one page of plain HTML, which needs no script and nothing from elsewhere."""

import json
from base64 import b64encode
from hashlib import sha256
from html import escape
from itertools import groupby
from typing import Any

_STYLE = """
body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1b1f24;background:#fff}
summary{cursor:pointer;padding:.4rem 0}code,pre{font:13px/1.45 ui-monospace,monospace}
pre{background:#f4f6f8;padding:.7rem;overflow:auto;border-radius:4px}
details{border-bottom:1px solid #dde3e9}details>*:not(summary){margin-left:1rem}
.verb{display:inline-block;min-width:4.5rem;font-weight:600;color:#0b5cad}
td,th{text-align:left;padding:.15rem 1rem .15rem 0}
@media(prefers-color-scheme:dark){body{color:#dfe5ec;background:#14181d}pre{background:#1d232b}
details{border-color:#2c3540}.verb{color:#6cb2ff}a{color:#6cb2ff}}
"""
_DIGEST = b64encode(sha256(_STYLE.encode()).digest()).decode()
POLICY = (
    f"default-src 'none'; style-src 'sha256-{_DIGEST}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Its Content-Security-Policy: its own style, and nothing else."""


def page(document: dict[str, Any]) -> str:
    """The page for an OpenAPI document."""
    info = document["info"]
    operations = [
        (verb.upper(), path, operation)
        for path, verbs in document["paths"].items()
        for verb, operation in verbs.items()
    ]
    sections = "".join(
        f"<h2>{escape(tag)}</h2>" + "".join(_operation(*one) for one in group)
        for tag, group in groupby(operations, key=lambda one: (one[2].get("tags") or ["other"])[0])
    )
    schemas = "".join(
        f"<details id='{escape(name)}'><summary><code>{escape(name)}</code></summary>{_json(schema)}</details>"
        for name, schema in sorted(document["components"]["schemas"].items())
    )
    title = escape(f"{info['title']} {info['version']}")
    return (
        f"<!doctype html><html lang='en'><head><meta charset='utf-8'><title>{title}</title>"
        f"<meta name='viewport' content='width=device-width,initial-scale=1'><style>{_STYLE}</style></head><body>"
        f"<h1>{title}</h1><p>{escape(info.get('description', ''))} "
        f"The same as a document: <a href='/openapi.json'>/openapi.json</a>.</p>{sections}<h2>Shapes</h2>{schemas}"
        "</body></html>"
    )


def _operation(verb: str, path: str, operation: dict[str, Any]) -> str:
    parts = [f"<p>{escape(operation['description'])}</p>"] if "description" in operation else []
    if parameters := operation.get("parameters"):
        rows = "".join(
            f"<tr><td><code>{escape(one['name'])}</code></td><td>{escape(one['in'])}</td>"
            f"<td>{_type(one['schema'])}</td><td>{escape(one.get('description', ''))}</td></tr>"
            for one in parameters
        )
        parts.append(f"<table>{rows}</table>")
    if body := operation.get("requestBody"):
        parts.append(f"<p>Body: {_content(body)}</p>")
    rows = "".join(
        f"<tr><td>{escape(status)}</td><td>{_content(reply)}</td><td>{escape(reply['description'])}</td></tr>"
        for status, reply in sorted(operation["responses"].items())
    )
    parts.append(f"<table>{rows}</table>")
    return (
        f"<details id='{escape(operation['operationId'])}'><summary><span class='verb'>{verb}</span>"
        f"<code>{escape(path)}</code> · {escape(operation.get('summary', ''))}</summary>{''.join(parts)}</details>"
    )


def _content(holder: dict[str, Any]) -> str:
    return ", ".join(_type(one.get("schema", {})) or escape(kind) for kind, one in holder.get("content", {}).items())


def _type(schema: dict[str, Any]) -> str:
    if reference := schema.get("$ref"):
        name = escape(reference.rsplit("/", 1)[1])
        return f"<a href='#{name}'>{name}</a>"
    if choices := schema.get("anyOf"):
        return " or ".join(filter(None, map(_type, choices)))
    if values := schema.get("enum"):
        return escape(" | ".join(map(str, values)))
    return escape(str(schema.get("type", "")))


def _json(value: Any) -> str:
    return f"<pre>{escape(json.dumps(value, indent=2, ensure_ascii=False))}</pre>"
