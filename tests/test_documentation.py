"""What the text of documents names is there: commands, options, settings, files, headings."""

from __future__ import annotations

import re
import shlex
from dataclasses import fields
from importlib import import_module
from typing import TYPE_CHECKING

import click
import pytest

from tests.documents.blocks import DOCUMENTS, ROOT, named, prose
from tracing.cli import cli
from tracing.config import TracingConfig

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

GUIDES = [
    ROOT / "README.md",
    *(ROOT / "docs" / name for name in ("agents.md", "dbos.md", "export.md", "live.md", "replay.md")),
]
"""Whose commands a reader types."""

LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
VARIABLE = re.compile(r"\bDURABLE_TRACE_[A-Z_]+\b")
SETTINGS_ROW = re.compile(r"^\| `([A-Z_]+)` \| `([a-z_]+)` \| ([^|]+) \|", re.MULTILINE)

VARIABLES = {str(setting.metadata["variable"]): setting for setting in fields(TracingConfig) if setting.metadata}


def command_lines() -> Iterator[str]:
    """The commands in the text, as they are typed; those of code blocks are run."""
    for document in GUIDES:
        yield from re.findall(r"`(durable-trace [^`]+)`", prose(document))


@pytest.mark.parametrize("line", sorted(set(command_lines())))
def test_commands_and_their_options_exist(line: str) -> None:
    _, name, *arguments = shlex.split(line, comments=True)
    context = cli.make_context("durable-trace", [name], resilient_parsing=True)  # as the command is really called
    command = cli.get_command(context, name)
    assert command is not None, f"there is no command {name}"
    # What a command needs may be left out where a text only names it.
    options = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
    assert {argument.partition("=")[0] for argument in arguments if argument.startswith("-")} <= options
    if arguments and not arguments[0].startswith("--repair"):
        # Resilient: paths need not be there.
        command.make_context(name, list(arguments), parent=context, resilient_parsing=True)


def test_the_guide_to_exports_names_each_of_their_options_in_one_table() -> None:
    guide = (ROOT / "docs" / "export.md").read_text()
    tables = "\n".join(line for line in guide.splitlines() if line.startswith("|"))
    chapters = re.findall(r"\| \[[^\]]*\]\(([a-z-]+\.md)\).*\| (.*) \|$", tables, re.MULTILINE)
    assert len(chapters) == 7
    command = cli.get_command(click.Context(cli), "export")
    assert command is not None
    options = {option for parameter in command.params for option in parameter.opts if option.startswith("--")}
    elsewhere = {option: chapter for chapter, named in chapters for option in re.findall(r"--[a-z-]+", named)}
    here = set(re.findall(r"--[a-z-]+", "".join(re.findall(r"^\| (`-[^|]*)", tables, re.MULTILINE)))) | {"--output"}
    of_watching = {"--once", "--checkpoint", "--since", "--settle", "--overlap", "--interval"}
    assert here & elsewhere.keys() == set()
    assert here | elsewhere.keys() | of_watching == options
    for option, chapter in {**elsewhere, **dict.fromkeys(of_watching, "repair.md")}.items():
        assert (
            f"`{option}" in (ROOT / "docs" / chapter).read_text()
            or f" {option}" in (ROOT / "docs" / chapter).read_text()
        ), option


@pytest.mark.parametrize("document", DOCUMENTS, ids=named)
def test_links_lead_to_files(document: Path) -> None:
    links = LINK.findall(prose(document))
    local = [link.partition("#")[0] for link in links if not re.match(r"[a-z]+:|#", link)]
    assert [link for link in local if not (document.parent / link).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=named)
def test_links_within_documents_lead_to_headings(document: Path) -> None:
    for link in LINK.findall(prose(document)):
        path, _, anchor = link.partition("#")
        if anchor and not re.match(r"[a-z]+:", link):
            target = (document.parent / path) if path else document
            headings = re.findall(r"^#+ (.*)$", prose(target), re.MULTILINE)
            assert anchor in {_anchor(heading) for heading in headings}, link


def _anchor(heading: str) -> str:
    """As GitHub makes it."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


@pytest.mark.parametrize("document", DOCUMENTS, ids=named)
def test_variables_are_settings(document: Path) -> None:
    assert set(VARIABLE.findall(document.read_text())) - {*VARIABLES, "DURABLE_TRACE_"} == set()


def test_the_guides_table_has_every_setting_with_its_variable_and_default() -> None:
    guide = (ROOT / "docs" / "live.md").read_text()
    table = {variable: (name, default.strip()) for variable, name, default in SETTINGS_ROW.findall(guide)}
    assert table == {variable: (setting.name, _default(setting.default)) for variable, setting in VARIABLES.items()}


def _default(value: object) -> str:
    """A default as the table writes it."""
    if value is None or value in ("", ()):
        return "none"
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"{value:,}" if isinstance(value, int) else f"{value:g}"


def test_the_public_names_are_all_in_the_guides() -> None:
    text = "\n".join(guide.read_text() for guide in (*GUIDES, ROOT / "docs" / "model-calls.md"))
    assert [name for name in import_module("tracing").__all__ if not re.search(rf"\b{name}\b", text)] == []
