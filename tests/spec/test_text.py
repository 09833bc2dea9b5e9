"""Files as people write them: what is read, and where a mistake is said to be."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from kubemin.cli.exits import CliError
from kubemin.cli.files import load_application
from kubemin.spec import nodes
from kubemin.spec.nodes import Node, json_node, yaml_nodes
from kubemin.spec.plain import charts_of
from kubemin.spec.reading import is_large
from kubemin.spec.text import Bounds, ParseError, documents, parse
from kubemin.spec.wording import join

KUBECTL = Path(sys.executable).with_name("kubectl")
WORDS = (
    *("0644", "010", "-010", "+010", "09", "00", "0o17", "-0o17", "0b11", "0x1F", "1_000", "1:30", "12", "+5", "-1"),
    *("yes", "y", "on", "Off", "N", "No", "NO", "oN", "true", "True", "TRUE", "tRUE", "false", "null", "Null", "~"),
    *("1.0", ".5", "1e3", "1E3", "2001-01-01", "=", "a b", "nan", "inf", "v1.2.3", "1.2.3", "0.0.0.0", "e1"),
)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=50)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64) | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)


@given(JSON.filter(lambda value: value is not None), st.booleans(), st.sampled_from([None, 1, "\t"]))
def test_json_is_read_as_it_was_written(value: Any, ascii_only: bool, indent: int | str | None) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only, indent=indent)
    assert repr(parse(text, is_json=True)) == repr([value])
    if isinstance(value, list | dict):
        assert repr(parse(text)) == repr([value])


@given(st.dictionaries(st.from_regex(r"[a-z]{1,9}", fullmatch=True), JSON, min_size=1, max_size=4))
def test_yaml_with_the_same_words_in_quotes_means_the_same(value: dict[str, Any]) -> None:
    text = "".join(f"{key}: {json.dumps(item)}\n" for key, item in value.items())
    assert parse(text) == [value]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (r'{"g":"\ud83d\ude00"}', {"g": "😀"}),
        ('{\t"a":\t1\n\t}', {"a": 1}),
        ('{"%s": 1}' % ("k" * 1_100), {"k" * 1_100: 1}),
        ("{a: 1, b: [x]}", {"a": 1, "b": ["x"]}),
        ('{"a": b}', {"a": "b"}),
        ("[a, b]", ["a", "b"]),
        (r'g: "\ud83d\ude00"', {"g": "😀"}),
        ("replicas: 0o10\nb: 09\nc: -07\nd: 00", {"replicas": 8, "b": 9, "c": -7, "d": 0}),
        ("a: yes\nb: off\nc: y\non: No", {"a": "yes", "b": "off", "c": "y", "on": "No"}),
        ("a: true\nb: False\nc: ~\nd: null\ne:", {"a": True, "b": False, "c": None, "d": None, "e": None}),
        ("a: 1:30\nb: 2026-01-02\nc: =", {"a": "1:30", "b": "2026-01-02", "c": "="}),
        ("a: !!str 010", {"a": "010"}),
        ("a: &x {b: 1}\nc: *x\nd: {<<: *x, e: 2}", {"a": {"b": 1}, "c": {"b": 1}, "d": {"b": 1, "e": 2}}),
        ("<<: [{a: 1}, {a: 2, b: 2, c: 2}]\nc: 3", {"a": 1, "b": 2, "c": 3}),
        ("a: &x 1\nb: &x 2\nc: *x", {"a": 1, "b": 2, "c": 2}),
        ("a: 1_000\nb: 0b11\nc: 1:30", {"a": "1_000", "b": "0b11", "c": "1:30"}),
        (
            'a: !!int "12"\nb: !!bool true\nc: !!null ""\nd: !!float 1\ne: ! 12',
            {"a": 12, "b": True, "c": None, "d": 1.0, "e": "12"},
        ),
    ],
)
def test_what_is_read(text: str, value: Any) -> None:
    (found,) = parse(text)
    assert repr(found) == repr({key: value[key] for key in found} if isinstance(value, dict) else value)
    assert found == value


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a:\n  b: 1\n  b: hush", "b is given twice at line 3, column 3"),
        ("a: [1\n", "did not find expected ',' or ']' at line 1, column 4"),
        ("a: 1\nreplicas: 010", "010 is 8 to YAML 1.1, and 10 to YAML 1.2"),
        ("component: []\nkind: a\napiVersion: b\nmode: 0644", "0644 is 420 to YAML 1.1"),
        ("a: !!int b", "this is not of the type that its tag says at line 1, column 4"),
        ("a:\n\tb: 1", "at line 2, column 1"),
        ("a: *nowhere", "found undefined alias 'nowhere' at line 1, column 4"),
        ("a: !Ref b", "the tag !Ref is not known here at line 1, column 4"),
        ("a: !!set {b}", "the tag tag:yaml.org,2002:set is not known here at line 1, column 4"),
        ("a: .nan", "this is no number that JSON can carry at line 1, column 4"),
        ("a: 1\n2: b", "a key must be text: write it in quotes at line 2, column 1"),
        ("? [a]\n: b", "a key must be text"),
        ("<<: 1", "<< takes a mapping, or a list of them at line 1, column 5"),
        (r'a: "\ud83d"', "the text holds half a surrogate pair at line 1, column 4"),
        (r'{"a": "\ud83d"}', "a text holds half a surrogate pair"),
        ('{"a": 1, "b": {"c": 1, "c": "hush"}}', "c is given twice at line 1, column 24"),
        ('{"a": NaN}', "NaN is no number that JSON can carry"),
        ('{\n  "a": ["hush" 1]\n}', "expecting ',' delimiter at line 2, column 16"),
        ('{"a": %s}' % ("1" * 5_000), "a number is too large"),
        ("- " * 5_000, "nested too deeply"),
        ("[" * 100_000, "it is nested too deeply"),
        ("a: &a [*a]", "it is too large, or nested too deeply"),
    ],
)
def test_what_is_refused_is_named_with_its_place_and_without_values(text: str, problem: str) -> None:
    with pytest.raises(ParseError) as caught:
        parse(text)
    assert problem in str(caught.value)
    assert "hush" not in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize(("leaf", "times"), [("[x]", 1_000), ("{x: 1}", 10), ("y" * 2_000, 1_000)])
def test_aliases_that_would_grow_without_bound_are_refused(leaf: str, times: int) -> None:
    """Ten levels, each using the one below many times: a file of a few kilobytes that means terabytes."""
    lines = [f"a0: &a0 {leaf}"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * times)}]" for n in range(1, 11)]
    with pytest.raises(ParseError, match="its aliases written out"):
        parse("\n".join(lines))


def test_merge_keys_that_would_grow_without_bound_are_refused() -> None:
    lines = ["a0: &a0 {x: 1}"]
    lines += [f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 20)}]}}" for n in range(1, 11)]
    with pytest.raises(ParseError, match="its aliases written out"):
        parse("\n".join(lines))


@given(st.text())
def test_any_text_is_read_or_refused_in_one_sentence(text: str) -> None:
    try:
        found = parse(text)
    except ParseError:
        return
    json.dumps(found, allow_nan=False, ensure_ascii=False).encode()


@given(st.from_regex(r"[-+.0-9a-fxo_eE~]{1,6}", fullmatch=True) | st.sampled_from(WORDS))
def test_a_scalar_is_what_yaml_1_2_says(word: str) -> None:
    """As another library reads it, where that goes by the standard: it knows ``_`` in numbers, ``0b``, and ``-0o7``."""
    try:
        (found,) = parse(f"a: {word}")
        expected = dict(YAML(typ="safe", pure=True).load(f"a: {word}"))
    except (ParseError, YAMLError, ValueError):
        return
    if "_" not in word and "0b" not in word and not re.match(r"[-+]0[xo]", word):
        assert repr(found) == repr(expected)


def test_a_kubernetes_object_is_read_as_kubectl_reads_it() -> None:
    """Its modes have a leading zero, as ``defaultMode: 0644``."""
    head = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x, annotations: {a: "1"}}\n'
    text = head + "".join(f"w{number}: {word}\n" for number, word in enumerate(WORDS))
    arguments = (KUBECTL, "annotate", "--local", "--overwrite", "-f", "-", "a=1", "-o", "json")
    done = subprocess.run(arguments, input=text, capture_output=True, text=True, check=True)
    (found,) = parse(text)
    assert found == json.loads(done.stdout)
    assert parse("apiVersion: v1\nkind: List\nitems: [{mode: 0644}]")[0]["items"] == [{"mode": 420}]


def test_a_json_file_is_json_alone(tmp_path: Path) -> None:
    file = tmp_path / "x.json"
    file.write_text("{a: 1}")
    with pytest.raises(CliError, match=r"x\.json is not JSON: expecting property name .* at line 1, column 2"):
        load_application(str(file))
    file.write_bytes(b"\xef\xbb\xbf" + rb'{"name": "\ud83d\ude00"}')  # some editors begin a file with a mark
    assert load_application(str(file)) == {"name": "😀"}


KEY = st.text(st.characters(exclude_categories=["Cs"], exclude_characters=".["), min_size=1, max_size=9)
NESTED = st.recursive(
    st.none() | st.integers() | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEY, inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(KEY, NESTED, max_size=4))
def test_each_part_of_a_text_has_its_line(value: dict[str, Any]) -> None:
    """A text that has each part in a line of its own."""
    lines: list[tuple[str, int]] = []
    text: list[str] = []

    def write(item: Any, path: str, prefix: str, comma: str) -> None:
        lines.append((path, len(text) + 1))
        if not isinstance(item, dict | list) or not item:
            text.append(f"{prefix}{json.dumps(item)}{comma}")
            return
        text.append(prefix + ("{" if isinstance(item, dict) else "["))
        pairs = item.items() if isinstance(item, dict) else enumerate(item)
        for place, (key, below) in enumerate(pairs, 1):
            mark = "," if place < len(item) else ""
            write(below, join(path, key), f"{json.dumps(key)}: " if isinstance(item, dict) else "", mark)
        text.append(("}" if isinstance(item, dict) else "]") + comma)

    write(value, "", "", "")
    (document,) = documents("\n".join(text))
    paths = [path for path, _ in lines]
    for path, line in lines:
        if paths.count(path) == 1:
            assert document.place_of(path).line == line
            assert document.place_of(f"{path}.not there").line >= line


@pytest.mark.parametrize(
    "text",
    [
        '{"name": "shop",\n\t"component": [{"name": "web",\n\t\t"image": "a\\"b", "replicas": "x"}, 7]}',
        "name: shop\ncomponent:\n  - name: web\n    image: a\n    replicas: x\n  - 7",
        "component: [{name: web, ima_ge: a, replicas: 'x'}, 7]",
    ],
)
def test_a_place_is_that_of_the_name_of_a_field_or_of_an_item(text: str) -> None:
    (document,) = documents(text)
    lines = text.splitlines()
    expected = {"component[0].replicas": "replicas", "component[1]": "7", "component": "component", "": lines[0][:3]}
    for path, begins in expected.items():
        line, column = document.place_of(path)
        assert lines[line - 1][column - 1 :].lstrip('"').startswith(begins), path


@given(JSON.filter(lambda value: isinstance(value, dict | list)), st.sampled_from([None, 1, "\t"]))
def test_json_has_the_places_that_yaml_has(value: Any, indent: int | str | None) -> None:
    text = json.dumps(value, indent=indent)

    def places(node: Node) -> Any:
        below = [places(one) for pair in node.entries for one in pair] + [places(one) for one in node.items]
        return node.place, below

    try:
        (of_yaml,) = yaml_nodes(text)
    except ParseError:
        return  # a tab, say
    assert places(json_node(text)) == places(of_yaml)


@pytest.mark.parametrize("as_json", [False, True])
def test_places_are_found_whatever_the_number_of_names(as_json: bool) -> None:
    """A thousand mistakes in a map of many names: each name is looked at once, and not once for each mistake."""
    names = {f"name_{number}": number for number in range(20_000)}
    text = json.dumps(names, indent=1) if as_json else "\n".join(f"{name}: {value}" for name, value in names.items())
    (document,) = documents(text)
    for number in range(1000):
        assert document.place_of(f"name_{number}").line == number + (2 if as_json else 1)
        assert document.place_of(f"name{number}.x").line == number + (2 if as_json else 1)


@pytest.mark.parametrize("text", ["[1, 1, 1, 1, 1, 1]", "- 1\n" * 6, "1\n---\n" * 6, "a: 1\nb: 1\nc: 1\n"])
def test_a_text_has_a_number_of_parts(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """In all of its documents together: each takes memory, however short it is."""
    assert list(yaml_nodes(text))
    monkeypatch.setattr(nodes, "MAX_NODES", 5)
    with pytest.raises(ParseError, match="more than 5 names and values"):
        list(yaml_nodes(text))
    if text.startswith("["):
        assert len(json_node(text).items) < 6


def test_the_chart_of_a_document_is_right_above_it() -> None:
    """However many there are: the lines above are looked at once."""
    parts = [f"---\n# Source: chart-{number}/templates/x.yaml\nkind: A\n" for number in range(20_000)]
    text = "".join(parts) + "...\nkind: B\n---\nkind: C\n"
    begins = [3 * number + 3 for number in range(20_000)] + [60_002, 60_004]
    assert list(charts_of(text, begins)) == [*(f"chart-{number}" for number in range(20_000)), None, None]
    assert list(charts_of("kind: A", [1, 5])) == [None, None]


BOMB = "a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\nb: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a, *a]\nc: [*b, *b, *b, *b, *b]\n"


def test_what_texts_mean_has_one_bound_for_all_of_them() -> None:
    """Whether they are documents of one text, or texts of one application; and it is not done where others wait."""
    bounds = Bounds(values=2500)
    for _ in range(3):
        parse(BOMB, bounds=bounds)
    for text in (BOMB, "---\n".join([BOMB] * 4)):
        with pytest.raises(ParseError, match="too large"):
            parse(text, bounds=bounds if text is BOMB else Bounds(values=2500))
    assert is_large({"component": [{"properties": {"yaml": BOMB}}]})


def test_many_parts_are_merged_one_by_one() -> None:
    """Each into what is there, and not all that is there into each."""
    text = "<<: [" + ", ".join(f"{{k{number}: {number}}}" for number in range(20_000)) + ", {k0: late}]\nown: 1\n"
    (found,) = parse(text)
    assert (len(found), found["k0"], found["k19999"]) == (20_001, 0, 19_999)
