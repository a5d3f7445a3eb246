"""What is a failure of the table?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from agent.failures.durable import DurableRun
    from agent.failures.plain import PlainRun
    from agent.research.settings import ResearchSettings


@dataclass(frozen=True)
class Failure:
    """Something that happens to an agent, and how it is made to happen.

    Attributes:
        name: Its name in files and tests.
        title: What the table calls it.
        without: What it does to a script, in words.
        with_it: What it does to a workflow, in words.
        settings: How both research.
        to_workflow: Makes it happen to a workflow, from before its start until nothing is left but to wait for the end.
        to_script: The same for a script.
        server_differs: Attributes that its server tells workers otherwise than it writes them into the history.
    """

    name: str
    title: str
    without: str
    with_it: str
    settings: ResearchSettings
    to_workflow: Callable[[DurableRun], Awaitable[None]]
    to_script: Callable[[PlainRun], Awaitable[None]]
    server_differs: frozenset[str] = frozenset()
