"""Who is in the team, and who hands over to whom?"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from agents import Agent
from temporalio.common import RetryPolicy
from temporalio.openai_agents.workflow import activity_as_tool

from agent.openai_agents.guardrail import no_advice
from agent.openai_agents.tools import find_sources, today

MODEL = "gpt-4o"
SEARCH_TIMEOUT = timedelta(seconds=20)
# A killed worker is noticed after this time, not only at the timeout above.
SEARCH_HEARTBEAT_TIMEOUT = timedelta(seconds=3)
SEARCH_RETRIES = RetryPolicy(
    initial_interval=timedelta(seconds=1), maximum_interval=timedelta(seconds=10), maximum_attempts=3
)


def triage_agent() -> Agent[Any]:
    """The agent that takes all questions: it answers small talk itself, and hands the rest to the research agent."""
    return Agent(
        name="Triage",
        instructions=(
            "You take questions. Answer small talk yourself, in one sentence.\n"
            'Where a question asks "what", "why", "which" or "how", call transfer_to_research.'
        ),
        model=MODEL,
        handoffs=[research_agent()],
        input_guardrails=[no_advice],
    )


def research_agent() -> Agent[Any]:
    """The agent that answers from sources."""
    return Agent(
        name="Research",
        handoff_description="Answers questions from web sources.",
        instructions="You answer questions from sources. Call today, then call find_sources, and cite by numbers.",
        model=MODEL,
        tools=[
            today,
            activity_as_tool(
                find_sources,
                start_to_close_timeout=SEARCH_TIMEOUT,
                heartbeat_timeout=SEARCH_HEARTBEAT_TIMEOUT,
                retry_policy=SEARCH_RETRIES,
            ),
        ],
    )
