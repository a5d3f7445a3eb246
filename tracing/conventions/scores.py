"""What are the scores called that a comparison puts on a run's trace in Langfuse and Phoenix?

Numbers, but for the outcome of a replay. Differences are the second side less the first.
"""

from __future__ import annotations

from typing import Final

from tracing.conventions.engine import REPLAY_OUTCOME
from tracing.conventions.registry import define_score

SCORE_SAVED: Final = define_score(
    "durable.saved_usd", "USD", "What the second run did not spend, because it reused results of the first."
)
SCORE_COUNTERFACTUAL: Final = define_score(
    "durable.counterfactual_usd",
    "USD",
    "Estimate: what the first run would have cost, had it begun again from nothing at each recovery point.",
)
SCORE_RETRY_WASTE: Final = define_score(
    "durable.retry_waste_usd", "USD", "What attempts of both runs cost whose result did not close their step."
)
SCORE_COST_DIFFERENCE: Final = define_score(
    "durable.cost_difference_usd", "USD", "Cost of the second run less that of the first."
)
SCORE_TOKENS_DIFFERENCE: Final = define_score(
    "durable.tokens_difference", "{token}", "Input and output tokens of the second run less those of the first."
)
SCORE_STEPS_REUSED: Final = define_score(
    "durable.steps_reused", "{step}", "Steps whose result the second run took from history."
)
SCORE_STEPS_EXECUTED: Final = define_score(
    "durable.steps_executed", "{step}", "Steps that the second run did itself: executed, changed and new ones."
)
SCORE_REPLAY_OUTCOME: Final = define_score(
    REPLAY_OUTCOME, "", "Of a replay: reproduced, diverged or failed, as a category."
)
