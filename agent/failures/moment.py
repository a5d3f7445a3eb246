"""When do the failures hit? All but one at the same moment, so that their rows can be compared."""

from __future__ import annotations

from typing import Final

from agent.research.prompts import synthesis_step
from agent.research.settings import ResearchSettings

QUESTION: Final = "What does durable execution cost an AI agent?"
SETTINGS: Final = ResearchSettings(llm_heartbeat_timeout_s=30.0, first_retry_s=0.2)
"""No worker dies of these failures, so none is to be taken for dead, however slow the machine is."""

PAID: Final = 2
"""Answers that are there when the failure hits: the plan and the first synthesis."""

IN_FLIGHT: Final = synthesis_step(PAID, SETTINGS.searches)
"""The step that the model is being asked for then."""

OUTLASTS: Final = 3
"""Failures in a row that outlast the script's own retries: one more than these are."""
