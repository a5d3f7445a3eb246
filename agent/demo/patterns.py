"""Which patterns of agents can the demo show, and what must be installed for each?

Nothing but the standard library is imported here: the list is there before any package of an agent is.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from agent.demo.stage import Stage
    from agent.demo.story import Story

_OF_EVERY_AGENT: Final = ("openai", "httpx2", "starlette", "uvicorn")

DEFAULT: Final = "research"
"""The pattern that is shown where none is named."""


@dataclass(frozen=True)
class Pattern:
    """A pattern of agents, with the story that the demo tells of it.

    Attributes:
        name: What the user calls it.
        shows: What there is to see, in one sentence.
        story: Module whose ``tell(stage)`` runs the agent and injects the failure.
        engine: The durable-execution engine that it runs on; Temporal's server is started only where it is needed.
        packages: Top-level modules that its agent imports, besides those of every agent.
        extra: The extra of the distribution that installs them.
    """

    name: str
    shows: str
    story: str
    engine: Literal["Temporal", "DBOS"] = "Temporal"
    packages: tuple[str, ...] = ()
    extra: str = "agent"

    @property
    def missing(self) -> tuple[str, ...]:
        """Modules that it needs and that are not installed."""
        return tuple(name for name in (*_OF_EVERY_AGENT, *self.packages) if find_spec(name) is None)

    @property
    def how_to_install(self) -> str:
        """The command that installs what it needs."""
        return f"pip install 'durable-trace[{self.extra}]'"

    def tell(self) -> Callable[[Stage], Awaitable[Story]]:
        """What tells its story on a stage.

        Raises:
            ImportError: Something that it needs is not installed.
        """
        tell: Callable[[Stage], Awaitable[Story]] = importlib.import_module(self.story).tell
        return tell


PATTERNS: Final = {
    pattern.name: pattern
    for pattern in (
        Pattern(
            name="research",
            shows="A research agent whose worker is killed between two model calls; another one finishes.",
            story="agent.demo.stories.research",
        ),
        Pattern(
            name="deep-research",
            shows="A plan, a child workflow for each sub-question, tools that the model calls; its worker is killed "
            "while children work; another one finishes, in a new run.",
            story="agent.demo.stories.deep_research",
        ),
        Pattern(
            name="approval",
            shows="A draft waits for a person; its worker is killed meanwhile, and another one gets the answer.",
            story="agent.demo.stories.approval",
        ),
        Pattern(
            name="langgraph",
            shows="A LangGraph graph whose last node fails: as one activity all is done again, node by node one node.",
            story="agent.demo.stories.langgraph",
            packages=("langgraph", "temporalio.langgraph"),
            extra="langgraph",
        ),
        Pattern(
            name="openai-agents",
            shows="A team of OpenAI Agents whose worker is killed after the handoff, while a tool runs.",
            story="agent.demo.stories.openai_agents",
            packages=("agents", "temporalio.openai_agents"),
            extra="openai-agents",
        ),
        Pattern(
            name="dbos",
            shows="The research agent on DBOS: killed while the model answers, recovered, and forked.",
            story="agent.demo.stories.dbos",
            engine="DBOS",
            packages=("dbos",),
            extra="agent,dbos",
        ),
    )
}
"""All patterns by name, in the order in which they are listed."""
