"""Commands and Python of the documents run as they stand there, for a reader who has what they name."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.documents.blocks import BLOCKS, ROOT, of
from tests.documents.reader import Reader, reader
from tests.documents.shell import Shell, lines, without_comment

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.e2e

COMMANDS = sorted({block.document for block in of("bash")})

STATUS = {
    # One of the two orders diverges, as the page shows.
    "durable-trace replay histories/ --workflow shop.workflows": 1,
    "pytest -v --replay-histories histories/ --replay-workflow shop.workflows:Shop": 1,
}
"""Exit codes of lines that do not end with 0."""

PRINTED = {"docs/replay.md": ("✗ diverged", "PASSED")}
"""What documents show of what their commands print, by a part of the block."""


@pytest.fixture(scope="module")
def a_reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    with reader(tmp_path_factory.mktemp("reader")) as made:
        yield made


@pytest.mark.parametrize("document", COMMANDS)
def test_commands_run_and_print_what_is_shown(
    document: str, a_reader: Reader, capsys: pytest.CaptureFixture[str]
) -> None:
    printed = ""
    with Shell(a_reader, a_reader.at(document), capsys).open() as shell:
        for block in of("bash", document):
            for line in lines(block.text):
                status, said = shell.call(line)
                assert status == STATUS.get(without_comment(line), 0), f"{block}: {line}\n{said}"
                printed += said
    for part in PRINTED.get(document, ()):
        assert_shown(shown(document, part), printed)


@pytest.fixture(scope="module")
def python(a_reader: Reader) -> dict[str, str | None]:
    """How the Python of each document failed."""
    ran = subprocess.run(
        [sys.executable, "-m", "tests.documents.python"],
        input=a_reader.as_json(),
        cwd=ROOT,
        env=a_reader.environ,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    found = json.loads(ran.stdout.splitlines()[-1])
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize("document", sorted({block.document for block in of("python")}))
def test_python_runs(document: str, python: dict[str, str | None]) -> None:
    failed = python[document]
    assert failed is None, failed


def shown(document: str, part: str) -> list[re.Pattern[str]]:
    """What a document shows of what is printed, line by line: `…` stands for what is left out, times are any."""
    of_document = [block for block in BLOCKS if (block.document, block.language) == (document, "text")]
    [block] = [block for block in of_document if part in block.text]
    return [_pattern(line) for line in block.text.splitlines() if line.strip()]


def _pattern(line: str) -> re.Pattern[str]:
    words = [re.sub("─+", "─+", re.escape(word)).replace("…", ".*") for word in line.split()]
    if len(words) > 1 and words[-1].isdigit() and words[-2].isdigit():
        words[-1] = r"\d+"  # a row's last column is how many ms it took
    return re.compile(" ".join(words))


def assert_shown(patterns: list[re.Pattern[str]], printed: str) -> None:
    """Each line is printed, in whichever stream."""
    text = " ".join(printed.split())
    assert [pattern.pattern for pattern in patterns if not pattern.search(text)] == []


def test_a_replay_that_would_connect_prints_what_its_page_shows(
    a_reader: Reader, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = a_reader.at("docs/replay.md")
    code = (folder / "shop" / "workflows.py").read_text()
    connecting = '__import__("socket").socket().connect(("10.0.0.7", 443))'
    (folder / "connecting" / "shop").mkdir(parents=True)
    (folder / "connecting" / "shop" / "workflows.py").write_text(
        code.replace("await workflow.sleep(0.05)", connecting).replace(
            "@workflow.defn\n", "@workflow.defn(sandboxed=False)\n"
        )
    )
    with Shell(a_reader, folder / "connecting", capsys).open() as shell:
        order = "../histories/order-2_01a3.history.json"
        status, printed = shell.call(f"durable-trace replay {order} --workflow shop.workflows")
    assert status == 1
    assert_shown(shown("docs/replay.md", "tried to connect"), printed)


def test_a_codec_without_its_key_is_told_of_as_its_page_shows(
    a_reader: Reader, capsys: pytest.CaptureFixture[str]
) -> None:
    with Shell(a_reader, a_reader.at("docs/decoding.md"), capsys).open() as shell:
        status, printed = shell.call("durable-trace export runs/ -o without-key --codec shop.lost:codec 2>&1")
    assert status == 1
    assert_shown(shown("docs/decoding.md", "A payload cannot be decoded"), printed)
