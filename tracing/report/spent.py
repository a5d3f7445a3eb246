"""What did each span of the page spend, and who made what each reused step took?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from tracing import conventions as c
from tracing.cost import Amount, AttemptAccount, RunAccount, StepAccount, saved
from tracing.cost.amount import amount_of
from tracing.cost.savings import makers_of
from tracing.cost.step_account import SpanKey
from tracing.spans.model import Span
from tracing.usage import Usage, is_model_call, usage_of_call


@dataclass(frozen=True, slots=True)
class Spending:
    """What a span spent.

    Attributes:
        usage: Its model calls.
        amount: What they cost; None for spans that cost nothing by their nature.
        maker: Of a reused step: the step that made its result, where the page leads there.
    """

    usage: Usage = field(default_factory=Usage)
    amount: Amount | None = None
    maker: StepAccount | None = None

    @property
    def saved(self) -> Amount | None:
        """What its reused result cost when it was made; None where that is not on the page, or was nothing."""
        return saved_by(self.maker)


def saved_by(maker: StepAccount | None) -> Amount | None:
    """What a reused result cost when it was made; None where that is not on the page, and where it cost nothing."""
    amount = None if maker is None else saved([maker])
    return amount if amount is not None and (amount.known_parts or amount.at_least) else None


class Spent:
    """The accounts of all runs on the page, span by span.

    Args:
        accounts: Accounts of the runs of each trace, by trace ID.
    """

    def __init__(self, accounts: Mapping[int, Iterable[RunAccount]]) -> None:
        self._runs: dict[tuple[int, str], RunAccount] = {}
        self._steps: dict[SpanKey, StepAccount] = {}
        self._attempts: dict[SpanKey, AttemptAccount] = {}
        for trace_id, runs in accounts.items():
            for run in runs:
                self._runs[trace_id, run.replay_id or run.run_id] = run
                for step in run.steps:
                    self._steps[step.span_key] = step
                    for attempt in step.attempts:
                        if attempt.span_id is not None:
                            self._attempts[trace_id, attempt.span_id] = attempt
        self._makers = makers_of(self._steps)

    def step(self, span: Span) -> StepAccount | None:
        """The account of a step, where the span is one's; of one whose span is missing, its last attempt's."""
        return self._steps.get((span.trace_id, span.span_id))

    def of(self, span: Span) -> Spending:
        """What a span spent, its whole subtree with it."""
        if is_model_call(span.attributes):
            usage = usage_of_call(span.attributes)
            return Spending(usage, amount_of(usage))
        key = (span.trace_id, span.span_id)
        account: RunAccount | StepAccount | AttemptAccount | None
        if span.name.startswith((c.run_workflow(""), c.replay_workflow(""))):
            # A part of a run is below what was before it, which shows what all parts spent.
            account = self._run(span) if c.RESUMPTION not in span.attributes else None
            return Spending() if account is None else Spending(account.usage, account.amount)
        account = self._attempts.get(key) or self._steps.get(key)
        if account is None:
            return Spending()
        nothing = not account.usage.calls and not account.amount.at_least
        return Spending(account.usage, None if nothing else account.amount, self._makers.get(key))

    def _run(self, span: Span) -> RunAccount | None:
        return self._runs.get((span.trace_id, str(span.attributes.get(c.REPLAY_ID) or span.attributes.get(c.RUN_ID))))
