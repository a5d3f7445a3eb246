"""Runs the Python of documents in a process of its own, where it may set up tracing for all of it.

    python -m tests.documents.python < READER

prints, as JSON on its last line, for each document how it failed, or null.
"""

from __future__ import annotations

import ast
import asyncio
import contextlib
import io
import json
import sys
import traceback
from contextlib import AsyncExitStack
from inspect import CO_COROUTINE
from pathlib import Path
from typing import Any

from tests.documents.blocks import RUN_ELSEWHERE, Block, of
from tests.documents.given import GIVEN, WHERE
from tests.documents.reader import Reader
from tracing import exit_process

LIMIT_S = 60.0
"""Longest time for the Python of one document: what hangs is named."""


def blocks(document: str) -> list[Block]:
    """A document's Python that is run here, in its order."""
    elsewhere = [part for where, part in RUN_ELSEWHERE if where == document]
    return [block for block in of("python", document) if not any(part in block.text for part in elsewhere)]


async def run(document: str, reader: Reader) -> str | None:
    """Run a document's Python; how it failed, or None."""
    names: dict[str, Any] = {"__name__": document}
    where = reader.at(document)
    if document in WHERE:
        where /= WHERE[document]
    doing = "what is given"
    try:
        async with asyncio.timeout(LIMIT_S), AsyncExitStack() as stack:
            stack.enter_context(reader.working(where))
            if document in GIVEN:
                given = await stack.enter_async_context(GIVEN[document](reader))
                names = given | names
            for block in blocks(document):
                doing = str(block)
                await _execute(reader.here(block.text), doing, names)
            if document in GIVEN:
                given |= names
            doing = "what is checked afterwards"
    except Exception:  # noqa: BLE001 - told, whatever it is
        return f"{doing}: {traceback.format_exc()}"
    return None


async def _execute(text: str, name: str, names: dict[str, Any]) -> None:
    """As `python -m asyncio` would; code without an `await` of its own may start an event loop."""
    code = compile(text, name, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    with contextlib.redirect_stdout(io.StringIO()):
        if code.co_flags & CO_COROUTINE:
            await eval(code, names)
        else:
            await asyncio.to_thread(exec, code, names)


async def _all(reader: Reader) -> None:
    documents = sorted({block.document for block in of("python")})
    results = {document: await run(document, reader) for document in documents}
    sys.stdout.write(f"\n{json.dumps(results)}\n")
    exit_process(0)  # from in here: a block that hangs has a thread that would be waited for


def main() -> None:
    """Run all of it."""
    described = json.load(sys.stdin)
    reader = Reader(**{**described, "folder": Path(described["folder"])})
    asyncio.run(_all(reader))


if __name__ == "__main__":
    main()
