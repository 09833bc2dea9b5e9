"""What people read is in their language, in English and in Chinese; what programs read is the same in both."""

import json
import re
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from kubemin.api.codes import ApiCode
from kubemin.cli.by_code import API, ISSUES
from kubemin.cli.cells import cells, folded, padded
from kubemin.cli.language import asks_for_chinese, retold
from kubemin.spec.issues import IssueCode
from kubemin.spec.reason_codes import ReasonCode
from tests.cli import sentences
from tests.cli.kubemin import InProcess, Kubemin
from tests.waiting import until_found

CHINESE = {"LANG": "zh_CN.UTF-8"}
_HAN = re.compile(r"[\u4e00-\u9fff]")
_PLACE = re.compile(r"\{(\w+)\}")
_WORDS: dict[str, str] = json.loads((sentences.ROOM / "zh.json").read_text(encoding="utf-8"))

_ONLY_PUNCTUATION = {", ", "{what}: {why}", "{what} ({more})", "{waits}; kubemin promote {task}"}
_UNTRANSLATED = {
    # A program reads it.
    "serve.py": {"kubemin ", " ready at ", "cancel", "ring"},
    "work.py": {"kubemin ", " worker ready"},
    "worker_port.py": {"health and metrics at "},
    "parts.py": {"Redis does not answer; cancels go through the database meanwhile"},
    "workers.py": {" these do not answer: worker ", "exit code ", "killed by "},
    "connections.py": {"Too many connections are open: try again.", " of the request did not arrive in time."},
    "heads.py": {
        "A line of the head ends with something else than CR and LF.",
        "A header goes on in a second line.",
        "The request has both a Content-Length and a Transfer-Encoding.",
        "The request says its length twice.",
    },
    # The server keeps it, and shows it to everybody.
    "demo.py": {"wrong version: stop it", "do not touch", "CURRENCY=USD, ADDED_BY_HAND=do not touch", "$ kubemin dev"},
    "follow.py": {"interrupted at the command line", "a watch begins with the task's state"},
    "together.py": {
        "interrupted at the command line",
        "another application of the same apply did not complete",
        "all or nothing: another application of the same apply did not complete",
    },
    "login/browser.py": {"<!doctype html><meta charset=utf-8><title>KubeMin</title><p>", "text/html; charset=utf-8"},
    # A name.
    "whoami.py": {"expires"},
    "__init__.py": {"kubemin: ", "error"},
    "version.py": {"kubemin "},
    "views.py": {"kubemin: "},
    "interrupts.py": {"kubemin: "},
    "reports.py": {"application id", "kubemin logs "},
    "history.py": {"note"},
    "tokens.py": {"--owner", "made by"},
    "sets.py": {"--set "},
    "output.py": {"red bold"},
}
_TRANSLATED_AS_SHOWN = {"failures.py", "translating.py"}
"""Their sentences are recognised (`by_code.py`), or are there to be recognised."""


def test_each_sentence_has_its_translation_and_each_translation_its_sentence() -> None:
    wanted = sentences.keys() | {code.advice for code in ReasonCode}
    assert wanted - _WORDS.keys() == set()
    assert _WORDS.keys() - wanted == set()


def test_translations_are_chinese_and_have_the_same_values_as_the_sentence() -> None:
    for sentence, translation in _WORDS.items():
        assert Counter(set(_PLACE.findall(sentence))) == Counter(set(_PLACE.findall(translation))), sentence
        assert _HAN.search(translation) or sentence in _ONLY_PUNCTUATION or translation.isupper(), sentence


def test_nothing_is_said_that_is_not_translated() -> None:
    """Texts of several words anywhere, and single words where they are printed."""
    found: dict[str, set[str]] = {}
    for module, text in sentences.unwrapped():
        if module not in _TRANSLATED_AS_SHOWN:
            found.setdefault(module, set()).add(text)
    assert found == _UNTRANSLATED


def test_what_is_said_of_a_code_is_said_of_all() -> None:
    assert set(API) == set(ApiCode) - {ApiCode.SUCCESS}
    assert set(ISSUES) == set(IssueCode)


@pytest.mark.parametrize(
    ("environment", "chinese"),
    [
        ({}, False),
        ({"LANG": "zh_CN.UTF-8"}, True),
        ({"LANG": "zh_SG"}, True),
        ({"LANG": "de_DE.UTF-8"}, False),
        ({"LANG": "C.UTF-8"}, False),
        ({"LANG": "zh_CN.UTF-8", "LC_MESSAGES": "en_US.UTF-8"}, False),
        ({"LANG": "en_US.UTF-8", "LC_MESSAGES": "zh_CN.UTF-8"}, True),
        ({"LANG": "en_US.UTF-8", "LC_MESSAGES": "en_US.UTF-8", "LC_ALL": "zh_CN.UTF-8"}, True),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": "C"}, False),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": "POSIX", "LANGUAGE": "zh"}, False),
        ({"LANG": "en_US.UTF-8", "LANGUAGE": "zh_CN:en"}, True),
        ({"LANG": "zh_CN.UTF-8", "LANGUAGE": "en:zh"}, False),
        ({"LANG": "zh_CN.UTF-8", "LANGUAGE": "fr:zh"}, True),
        ({"LANG": "zh_CN.UTF-8", "LANGUAGE": ""}, True),
        ({"LANG": "", "LC_ALL": ""}, False),
    ],
)
def test_the_environment_says_which_language_as_gettext_has_it(environment: dict[str, str], chinese: bool) -> None:
    assert asks_for_chinese(environment) is chinese


_TEXTS = st.text(st.sampled_from("ab, .→…中文字，。（）é"), max_size=60)


@given(_TEXTS)
def test_text_takes_the_columns_that_a_terminal_gives_it(text: str) -> None:
    assert cells(text) == cell_len(text)
    assert cells(padded(text, 200)) == 200


@given(_TEXTS, st.integers(1, 40))
def test_folded_text_has_all_its_characters_in_lines_that_fit(text: str, width: int) -> None:
    lines = list(folded(text, width))
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    for line in lines:
        units = re.findall(r"[!-~…→]+|[^，。（）\s]", line)
        assert cells(line) <= width or len(units) <= 1
        assert line[0] not in "，。）" or re.search(rf"(?:^|\s){line[0]}", text)


def test_help_is_chinese_and_fits_its_columns(here: InProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANG", CHINESE["LANG"])
    whole = here("--help").stdout
    commands = re.findall(r"^  ([a-z]+)  ", whole, re.MULTILINE)
    assert "apply" in commands
    for command in commands:
        shown = here(command, "--help").stdout
        assert shown.startswith(f"用法：kubemin {command}")
        assert all(cells(line) <= 80 for line in shown.splitlines())
        # What is left in English is what a person types, and the name of a type.
        assert not re.findall(r"\b[a-z]+,? (?:the|of|and|is|to|this)\b", shown), command


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["apply", "--bogus"], "错误：没有选项 --bogus"),
        (["nope"], "错误：没有命令 'nope'。"),
        (["cancel"], "错误：缺少参数 'TASK'。"),
        (["tasks", "--limit", "x"], "错误：'--limit' 的值无效：应为整数"),
        (["tasks", "--limit", "0"], "错误：'--limit' 的值无效：应大于或等于 1"),
        (["tasks", "--status", "x"], "错误：'--status' 的值无效：'x' 不是以下值之一："),
        (["tasks", "--limit"], "错误：选项 '--limit' 需要一个值。"),
        (["apps", "x"], "错误：多余的参数（x）"),
        (["status", "a b"], "错误：'TASK' 的值无效：'a b' 不是任务的名称；使用 `kubemin tasks` 列出任务"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_a_wrong_command_line_is_refused_in_chinese(
    here: InProcess, monkeypatch: pytest.MonkeyPatch, arguments: list[str], said: str
) -> None:
    monkeypatch.setenv("LANG", CHINESE["LANG"])
    answer = here(*arguments)
    assert answer.returncode == 2
    assert said in answer.stderr
    assert here(*arguments, "-o", "json").stderr.isascii()


_SITE = """\
name: {name}
component:
  - name: {name}
    type: webservice
    image: {image}
"""


def test_a_deploy_and_its_end_are_told_in_chinese(
    client: InProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the file to the cancel, with the names, codes and states as they are everywhere."""
    monkeypatch.setenv("LANG", CHINESE["LANG"])
    (tmp_path / "site.yaml").write_text(_SITE.format(name="zh-site", image="nginx:1.29"))
    (tmp_path / "slow.yaml").write_text(_SITE.format(name="zh-site", image="nginx:slow-60"))
    (tmp_path / "wrong.yaml").write_text("name: zh-site\ncomponent: 3\n")

    wrong = client("apply", "wrong.yaml")
    assert wrong.returncode == 1
    assert re.match(r"kubemin: wrong\.yaml:2:1: [A-Z_]+  [^A-Za-z]+：.*component", wrong.stderr)
    assert client("apply", "none.yaml").stderr == "kubemin: 无法读取 none.yaml：没有这个文件或目录\n"

    done = client("apply", "site.yaml")
    assert done.returncode == 0
    assert re.search(r"^应用 default/zh-site，版本 1（\w+）$", done.stdout, re.MULTILINE)
    assert re.search(r"^任务 \w+ completed$", done.stdout, re.MULTILINE)

    client("apply", "slow.yaml", "--detach")
    status = client("status", "zh-site").stdout
    assert re.search(r"^任务      \w+（?", status)
    assert re.search(r"^组件 +类型 +状态 +时长$", status, re.MULTILINE)
    heading, row = [line for line in status.splitlines() if "zh-site" in line or line.startswith("组件")][-2:]
    assert cells(heading.partition("类型")[0]) == row.index("webservice")

    until_found(lambda: "replicas" in client("status", "zh-site").stdout)  # else there may be nothing to put back
    cancelled = client("cancel", "zh-site", "--reason", "镜像不对", "--wait")
    assert cancelled.returncode == 0
    assert re.search(r"^任务 \w+ cancelled：镜像不对$", cancelled.stdout, re.MULTILINE)
    assert "集群已恢复原状：已恢复 1 个" in cancelled.stdout

    missing = client("status", "zh-none")
    assert missing.returncode == 1
    assert re.match(r"kubemin: 没有这个任务（20006）：.*zh-none", missing.stderr)


def test_a_lost_server_is_told_in_chinese(here: InProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANG", CHINESE["LANG"])
    answer = here("apps", "--server", "http://127.0.0.1:9")
    assert answer.returncode == 6
    assert answer.stderr.startswith("kubemin: http://127.0.0.1:9 没有服务器响应；")


@pytest.mark.parametrize("arguments", [["apps"], ["status", "zh-json"], ["resources", "zh-json"], ["status", "none"]])
@pytest.mark.parametrize("form", ["json", "yaml", "name"])
def test_what_programs_read_is_the_same_in_both_languages(
    client: InProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], form: str
) -> None:
    (tmp_path / "site.yaml").write_text(_SITE.format(name="zh-json", image="nginx:1.29"))
    client("apply", "site.yaml", "-q")
    english = client(*arguments, "-o", form)
    monkeypatch.setenv("LANG", CHINESE["LANG"])
    chinese = client(*arguments, "-o", form)
    assert (chinese.returncode, chinese.stdout, chinese.stderr) == (english.returncode, english.stdout, english.stderr)


@pytest.mark.parametrize(
    "environment",
    [
        {"LC_ALL": "C"},
        {"LC_ALL": "POSIX", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"},
        {"LANG": "zh_CN.UTF-8", "PYTHONIOENCODING": "ascii"},
    ],
    ids=lambda value: " ".join(value.values()),
)
def test_a_terminal_that_knows_no_chinese_gets_english_and_no_traceback(
    outside: Kubemin, client: InProcess, tmp_path: Path, environment: dict[str, str]
) -> None:
    """What others wrote in Chinese is escaped where it cannot be shown; JSON stays JSON."""
    (tmp_path / "site.yaml").write_text(_SITE.format(name="zh-ascii", image="nginx:1.29") + "alias: 我的网站\n")
    client("apply", "site.yaml", "-q", "--note", "上线")
    for arguments in (["apps", "-o", "wide"], ["history", "zh-ascii"], ["try", "应用.yaml"]):
        answer = outside(*arguments, env=environment)
        assert "Traceback" not in answer.stderr
        assert answer.returncode == (2 if arguments[0] == "try" else 0)
    whole = json.loads(outside("apps", "-o", "json", env=environment).stdout)
    assert "我的网站" in [one.get("alias") for one in whole["applications"]]


def test_a_library_s_sentence_is_recognised_with_its_values(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANG", CHINESE["LANG"])
    assert retold("waits 5 s, or for promote", ["waits {seconds} s, or for promote"]) == "等待 5 秒或放行（promote）"
    assert retold("something else", ["waits for promote"]) == "something else"
