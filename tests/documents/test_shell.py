"""What a reader leaves running is waited for, but not for ever."""

from __future__ import annotations

import subprocess

import pytest

from tests.documents.shell import said


def started(script: str) -> subprocess.Popen[str]:
    return subprocess.Popen(["bash", "-c", script], stdout=subprocess.PIPE, text=True)


def test_a_process_runs_once_a_whole_line_has_its_word() -> None:
    with started("printf 'Ser'; printf 'ver: here'; echo ' it is'; exec sleep 60") as process:
        assert said(process, "Server:", 60) == ("Server: here it is\n", True)
        process.kill()


def test_one_that_ends_has_printed_all_it_had_to() -> None:
    with started("echo 'no such port'") as process:
        assert said(process, "Server:", 60) == ("no such port\n", False)


def test_one_that_goes_on_without_its_word_is_a_failure_that_says_what_it_printed() -> None:
    with started("echo waiting; exec sleep 60") as process:
        said(process, "waiting", 60)
        with pytest.raises(AssertionError, match=r"sleep 60'\] printed no line with 'Server:' within 0 s, but ''"):
            said(process, "Server:", 0)
        process.kill()
