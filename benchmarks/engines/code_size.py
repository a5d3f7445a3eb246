"""How many lines of code does an agent take on each engine?

A line of code is one that holds a token which is neither a comment nor part of a docstring. What an entry point imports
of the package `agent`, directly or not, is the agent; what the agents on both engines import, they share.
"""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

PACKAGE: Final = "agent"
_NO_CODE: Final = frozenset(
    {
        tokenize.COMMENT,
        tokenize.NL,
        tokenize.NEWLINE,
        tokenize.INDENT,
        tokenize.DEDENT,
        tokenize.ENCODING,
        tokenize.ENDMARKER,
    }
)


@dataclass(frozen=True)
class CodeSize:
    """Lines of code by module.

    Attributes:
        own: Of the modules that only the agent on this engine has.
        shared: Of those that the agents on both engines have.
    """

    own: dict[str, int]
    shared: dict[str, int]


def code_sizes(root: Path, first: Sequence[str], second: Sequence[str]) -> tuple[CodeSize, CodeSize]:
    """Count the lines of code of two agents.

    Args:
        root: Folder that holds the package.
        first: Entry points of the first agent, as module names.
        second: Those of the second.
    """
    ours, theirs = imported(root, first), imported(root, second)
    lines = {module: code_lines(_file(root, module).read_text(encoding="utf-8")) for module in ours | theirs}
    lines = {module: count for module, count in sorted(lines.items()) if count}
    shared = {module: count for module, count in lines.items() if module in ours & theirs}
    return (
        CodeSize({module: count for module, count in lines.items() if module in ours - theirs}, shared),
        CodeSize({module: count for module, count in lines.items() if module in theirs - ours}, shared),
    )


def imported(root: Path, entry_points: Sequence[str]) -> set[str]:
    """The modules of the package that entry points import when they run, themselves among them."""
    found: set[str] = set()
    waiting = list(entry_points)
    while waiting:
        module = waiting.pop()
        if module not in found and _file(root, module).exists():
            found.add(module)
            waiting += _imports(ast.parse(_file(root, module).read_text(encoding="utf-8")))
    return found


def code_lines(source: str) -> int:
    """How many lines of a module's source hold code."""
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in _NO_CODE:
            lines.update(range(token.start[0], token.end[0] + 1))
    return len(lines - set(_docstring_lines(ast.parse(source))))


def _docstring_lines(module: ast.Module) -> Iterator[int]:
    for node in ast.walk(module):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            for statement in node.body:
                # Also the strings below attributes, which document them.
                if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
                    yield from range(statement.lineno, (statement.end_lineno or statement.lineno) + 1)


def _imports(module: ast.Module) -> Iterator[str]:
    for node in _when_it_runs(module):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.partition(".")[0] == PACKAGE:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.partition(".")[0] == PACKAGE)


def _when_it_runs(node: ast.AST) -> Iterator[ast.AST]:
    """A tree's nodes without what stands there for type checkers only."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and isinstance(child.test, ast.Name) and child.test.id == "TYPE_CHECKING":
            continue
        yield child
        yield from _when_it_runs(child)


def _file(root: Path, module: str) -> Path:
    path = root.joinpath(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
