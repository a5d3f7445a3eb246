"""Each pattern's demo in its short form, one after the other on the same servers: all that it claims holds."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from agent.demo.demo import play
from agent.demo.patterns import DEFAULT, PATTERNS
from agent.demo.screen import show
from agent.demo.stage import Stage
from agent.servers.progress import Progress

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Temporal, the Collector, the model and search servers; no Phoenix."""
    with Stage(tmp_path_factory.mktemp("stage"), Progress(io.StringIO()), with_phoenix=False) as stage:
        yield stage


@pytest.mark.parametrize("name", [name for name in PATTERNS if name != DEFAULT])  # that one: test_demo.py
async def test_all_that_a_pattern_claims_holds(name: str, stage: Stage, tmp_path: Path) -> None:
    results = await play(stage, PATTERNS[name], tmp_path)

    screen = io.StringIO()
    show(results, Console(file=screen, width=200))
    assert [claim for claim, held in results.checks().items() if not held] == [], screen.getvalue()
