"""What is a line of code, and which modules are an agent?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.engines.code_size import CodeSize, code_lines, code_sizes

if TYPE_CHECKING:
    from pathlib import Path

SOURCE = '''\
"""What it is.

More of it.
"""

# Why.
LIMIT = 3  # a day
"""What the limit is."""


class Agent:
    """An agent."""

    def work(self) -> str:
        """Work."""
        return (
            "one"  # which goes on

            "two"
        )
        """Never reached."""
'''


def test_lines_of_code_are_those_that_are_neither_empty_nor_comment_nor_documentation() -> None:
    assert code_lines(SOURCE) == 1 + 1 + 1 + 4  # LIMIT, class, def, and the expression


def test_a_string_that_is_used_is_code() -> None:
    assert code_lines('PROMPT = """\nAnswer.\n"""\n') == 3


def test_modules_are_found_by_what_runs(tmp_path: Path) -> None:
    write(tmp_path, "one.worker", "from agent.shared import prompts\nimport agent.one.flow\n")
    write(
        tmp_path, "one.flow", "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from agent.one import types\n"
    )
    write(tmp_path, "one.types", "Never = 1\n")
    write(tmp_path, "two.run", "def late():\n    from agent.shared.prompts import ASK\n")
    write(tmp_path, "shared.prompts", "ASK = 1\nANSWER = 2\n")

    first, second = code_sizes(tmp_path, ["agent.one.worker"], ["agent.two.run"])

    shared = {"agent.shared.prompts": 2}
    assert first == CodeSize({"agent.one.flow": 3, "agent.one.worker": 2}, shared)
    assert second == CodeSize({"agent.two.run": 2}, shared)


def write(root: Path, module: str, source: str) -> None:
    file = root / "agent" / f"{module.replace('.', '/')}.py"
    file.parent.mkdir(parents=True, exist_ok=True)
    for folder in (file.parent, file.parent.parent):
        (folder / "__init__.py").touch()
    file.write_text(source)
