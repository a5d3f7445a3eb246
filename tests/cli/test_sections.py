"""The help of commands with many options."""

from __future__ import annotations

import pytest

from tracing.cli import run

SECTIONS = [
    "What is exported:",
    "Server:",
    "Output:",
    "Encoded and stored payloads:",
    "Sending:",
    "Watching:",
    "Options:",
]


@pytest.mark.parametrize("width", [80, 120])
def test_the_help_of_export_is_in_sections_and_as_wide_as_the_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], width: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    assert run(["export", "--help"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if line in SECTIONS] == SECTIONS
    assert width - 20 < max(map(len, lines)) <= width


def test_each_option_says_what_it_is_for_and_its_default_as_people_write_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    assert run(["export", "--help"]) == 0
    out = capsys.readouterr().out
    assert "  -o, --output FOLDER     Where files go.  [default: traces]\n" in out
    assert "  --settle SECONDS     Time for live spans to arrive after a run has closed.  [default: 60]\n" in out
    assert "  --jobs N    Processes that share the work; else as many as pay.\n" in out


@pytest.mark.parametrize(
    ("command", "sections"),
    [
        (
            "cost",
            ["Which runs, besides RUN", "What is counted", "Server", "Encoded and stored payloads", "Options"],
        ),
        ("compare", ["Server", "Encoded and stored payloads", "Options"]),
        ("replay", ["Today's code", "Traces of the replays", "Encoded and stored payloads", "Options"]),
        ("report", ["The page", "Server", "Encoded and stored payloads", "Options"]),
    ],
)
def test_sections_are_named_for_what_they_hold_what_the_command_is_for_comes_first(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], command: str, sections: list[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert run([command, "--help"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.rstrip(":") for line in lines if line.endswith(":") and not line.startswith(" ")] == sections
    assert max(map(len, lines)) <= 80
