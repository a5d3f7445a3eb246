"""Runs the lines of shell blocks: `durable-trace` in this process, everything else in bash."""

from __future__ import annotations

import os
import re
import selectors
import shlex
import signal
import subprocess
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from agent.demo.patterns import PATTERNS
from tracing.cli import run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pytest

    from tests.documents.reader import Reader

LONG: Final = {
    "durable-trace export --watch": "",
    "python -m agent": "polls",
    "temporal server start-dev": "Server:",
}
"""What a reader leaves running in another terminal, and the word by which it says that it runs."""

ELSEWHERE: Final = {
    "durable-trace demo": "tests/e2e/test_patterns.py runs each pattern's, and test_demo.py the first one"
}
"""What other tests run, for it takes long; here only that there is such a demo."""

AGAIN: Final = ("temporal worker deployment set-current-version",)
"""What the server takes a moment to know of: asked again until it does."""

_SECONDS: Final = 120.0
_FOR_BASH: Final = re.compile(r"[$*|&;<>()`]")


class Shell:
    """A reader's shell: what one line exports, the next ones see.

    Args:
        reader: The reader.
        folder: Where the shell is.
        printed: What this process prints is taken from there.
    """

    def __init__(self, reader: Reader, folder: Path, printed: pytest.CaptureFixture[str]) -> None:
        self._reader = reader
        self._folder = folder
        self._printed = printed
        self._environ: dict[str, str] = dict(reader.environ)
        self._left_running: list[subprocess.Popen[str]] = []

    @contextmanager
    def open(self) -> Iterator[Shell]:
        """Use the shell; what it left running is told to stop, and must then end well."""
        with self._reader.working(self._folder):
            try:
                yield self
                ended = {" ".join(map(str, (left.args,))): _stopped(left) for left in self._left_running}
            finally:
                for left in self._left_running:
                    if left.poll() is None:
                        left.kill()
                        left.communicate()
        assert set(ended.values()) <= {0}, ended

    def call(self, line: str) -> tuple[int, str]:
        """Run a line as it stands in a document; its exit code and what it printed."""
        line = self._reader.here(line)
        bare = without_comment(line)
        exported = re.fullmatch(r"export ((?:\w+=\S+ ?)+)", bare)
        if exported:
            self._environ |= dict(pair.split("=", maxsplit=1) for pair in shlex.split(exported[1]))
            return 0, ""
        if bare.startswith(tuple(ELSEWHERE)):
            return self._known_demo(shlex.split(bare)[2:])
        long = next((name for name in LONG if bare.startswith(name)), None)
        if long is not None:
            return self._start(bare, LONG[long])
        if bare.startswith("durable-trace ") and not _FOR_BASH.search(re.sub(r"\"[^\"]*\"", "", bare)):
            return self._in_this_process(shlex.split(bare)[1:])
        deadline = time.monotonic() + _SECONDS
        while True:
            status, printed = self._in_bash(line)
            if status == 0 or not bare.startswith(AGAIN) or time.monotonic() > deadline:
                return status, printed
            time.sleep(0.1)

    def _in_this_process(self, arguments: list[str]) -> tuple[int, str]:
        self._printed.readouterr()
        status = run(arguments)
        out, err = self._printed.readouterr()
        return status, out + err

    def _known_demo(self, arguments: list[str]) -> tuple[int, str]:
        unknown = [each for each in arguments if not each.startswith("-") and each not in PATTERNS]
        return len(unknown), f"there is no such demo: {unknown}"

    def _in_bash(self, line: str) -> tuple[int, str]:
        done = subprocess.run(
            ["bash", "-eo", "pipefail", "-c", line],
            cwd=self._folder,
            env=self._environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
        return done.returncode, done.stdout

    def _start(self, line: str, word: str) -> tuple[int, str]:
        process = subprocess.Popen(
            ["bash", "-c", f"exec {line}"],
            cwd=self._folder,
            env=self._environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._left_running.append(process)
        printed, runs = said(process, word, _SECONDS)
        return 0 if runs else process.wait(_SECONDS), printed


def said(process: subprocess.Popen[str], word: str, seconds: float) -> tuple[str, bool]:
    """What a process prints until a whole line of it has a word, and whether one has: else it printed all it had to.

    Raises:
        AssertionError: It goes on without the word.
    """
    assert process.stdout
    output = process.stdout.fileno()
    deadline = time.monotonic() + seconds
    whole_line = re.compile(re.escape(word).encode() + rb".*\n")
    printed = b""
    with selectors.DefaultSelector() as selector:
        selector.register(output, selectors.EVENT_READ)
        while not whole_line.search(printed):
            assert selector.select(max(0.0, deadline - time.monotonic())), (
                f"{process.args!r} printed no line with {word!r} within {seconds:g} s, but {printed.decode()!r}"
            )
            more = os.read(output, 65536)
            if not more:
                return printed.decode(), False
            printed += more
    return printed.decode(), True


def without_comment(line: str) -> str:
    """A line without what it says of itself."""
    return re.sub(r"\s+#\s.*", "", line).strip()


def lines(text: str) -> list[str]:
    """The commands of a block: continued lines are one, comments and empty lines none."""
    joined = text.replace("\\\n", " ").splitlines()
    return [line for line in joined if line.strip() and not line.startswith("#")]


def _stopped(process: subprocess.Popen[str]) -> int:
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=_SECONDS)
    return process.returncode
