"""Which questions are refused before the team spends anything on them?"""

from __future__ import annotations

from typing import Any

from agents import Agent, GuardrailFunctionOutput, RunContextWrapper, Runner, TResponseInputItem, input_guardrail
from pydantic import BaseModel, Field

CHEAP_MODEL = "gpt-4o-mini"


class Verdict(BaseModel):
    """What the guardrail's model says of a question."""

    refused: bool = Field(
        description='Whether the question asks for "medical advice", "legal advice" or "a diagnosis".'
    )
    reason: str = Field(description="Why, in one sentence.")


# Not in parallel with the triage agent, as is the default: a refused question then costs this one cheap call only.
@input_guardrail(run_in_parallel=False)
async def no_advice(
    _context: RunContextWrapper[Any], _agent: Agent[Any], question: str | list[TResponseInputItem]
) -> GuardrailFunctionOutput:
    """Trip where a question asks for advice that only a person may give."""
    judge: Agent[Any] = Agent(
        name="Guardrail",
        instructions="You decide whether a question may be answered by software.",
        model=CHEAP_MODEL,
        output_type=Verdict,
    )
    verdict = (await Runner.run(judge, question)).final_output_as(Verdict)
    return GuardrailFunctionOutput(output_info=verdict, tripwire_triggered=verdict.refused)
