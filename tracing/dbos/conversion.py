"""Which spans does a workflow in the database make?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from tracing.config import TracingConfig
from tracing.dbos.ends import KeptEnd, part_of
from tracing.dbos.executions import Executions
from tracing.dbos.forks import reused_steps
from tracing.dbos.ledgers import RecordedAttempt
from tracing.dbos.model_calls import ModelCalls
from tracing.dbos.parts import Part, count_undecoded, defects_of, may_go_on, part_span, parts_of
from tracing.dbos.reader import Reader
from tracing.dbos.records import GET_RESULT, StepRow, WorkflowRow
from tracing.dbos.runs import child_uses, dbos_run
from tracing.dbos.step_spans import StepContext, spans_of_step, unfinished_step_spans
from tracing.dbos.times import NS_PER_MS
from tracing.runs import AttributeValue
from tracing.spans.hook import with_added
from tracing.spans.model import Span
from tracing.spans.tree import with_own_ids
from tracing.usage import Usage


@dataclass(frozen=True, slots=True)
class Converted:
    """A workflow as spans.

    Attributes:
        row: The workflow.
        spans: The run's span first, one for each of its parts; then its steps by their numbers, each before what is in
            it.
        parts: The parts of its run: more than one where it was over and was resumed.
        last_step: Number of its last step; 0 where it has none.
        undecoded: How many stored values are not decoded.
        steps: Its steps.
        step_spans: The spans of each, by its number.
        unfinished: Those of each that has no row, but attempts that ended, by its number.
    """

    row: WorkflowRow
    spans: list[Span]
    parts: Sequence[Part]
    last_step: int
    undecoded: int
    steps: Sequence[StepRow]
    step_spans: Mapping[int, Sequence[Span]]
    unfinished: Mapping[int, Sequence[Span]]

    @property
    def is_open(self) -> bool:
        """Whether it goes on."""
        return self.own.end is None

    @property
    def own(self) -> Span:
        """The span of the run's last part."""
        return self.spans[len(self.parts) - 1]

    @property
    def defects(self) -> tuple[str, ...]:
        """What is wrong with its rows, a sentence each."""
        return tuple(dict.fromkeys(defect for part in self.parts for defect in defects_of(part)))


def convert(reader: Reader, workflow_id: str, config: TracingConfig) -> Converted | None:
    """Convert a workflow to the spans of its run; None where there is none of this ID.

    Args:
        reader: Reader of its database.
        workflow_id: Its workflow ID.
        config: Settings.

    Raises:
        DatabaseError: The database cannot be read.
    """
    converted = build(reader, workflow_id, config)
    if converted is None:
        return None
    return replace(converted, spans=[with_added(config, span) for span in converted.spans])


def build(reader: Reader, workflow_id: str, config: TracingConfig, *, begun: int = 0) -> Converted | None:
    """As `convert`, without what the user's hook adds to each span.

    Args:
        reader: Reader of its database.
        workflow_id: Its workflow ID.
        config: Settings.
        begun: Number of a part of its run that is known to have begun.

    Raises:
        DatabaseError: The database cannot be read.
    """
    row = reader.workflow(workflow_id)
    if row is None:
        return None
    steps, unread = reader.steps(workflow_id)
    base_row = reader.workflow(row.forked_from) if row.forked_from else None
    base_steps = reader.steps(row.forked_from)[0] if base_row is not None else []
    reused = reused_steps(row, steps, base_steps)
    parts = parts_of(row, steps, reused, unread, begun=begun)
    attempts = reader.attempts(workflow_id)
    run = dbos_run(reader, row, config, service_of(attempts))
    base = dbos_run(reader, base_row, config) if base_row is not None else None
    context = StepContext(
        config,
        run,
        parts[0].start,
        ModelCalls(config),
        base,
        attempts,
        Executions(attempts, row.executions, row.ends),
        [step for step in steps if step.function_id not in reused],
    )
    contexts = [replace(context, run=run.of_part(part.number), start=part.start) for part in parts]
    step_spans, usages = _steps(contexts, row.ends, steps, reused)
    # What was not done when the workflow was cancelled is done where it is resumed.
    end = None if may_go_on(row) else parts[-1].end
    unfinished = {
        function_id: unfinished_step_spans(contexts[-1], function_id, end)
        for function_id in sorted(attempts.keys() - {step.function_id for step in steps})
        if config.traces_activity(attempts[function_id][-1].step)
    }
    built = [span for of_step in (*step_spans.values(), *unfinished.values()) for span in of_step]
    own = [part_span(config, of.run, part, usages, base) for of, part in zip(contexts, parts, strict=True)]
    return Converted(
        row=row,
        spans=with_own_ids([*own, *built]),
        parts=parts,
        last_step=steps[-1].function_id if steps else 0,
        undecoded=count_undecoded(row, steps),
        steps=steps,
        step_spans=step_spans,
        unfinished=unfinished,
    )


def service_of(attempts: Mapping[int, Sequence[RecordedAttempt]]) -> dict[str, AttributeValue]:
    """The service that ran the first step of which something was recorded; nothing where none was."""
    first = next((tries[0] for _, tries in sorted(attempts.items())), None)
    return dict(first.ledger.resource) if first is not None else {}


def _steps(
    contexts: Sequence[StepContext], ends: Sequence[KeptEnd], steps: Sequence[StepRow], reused: frozenset[int]
) -> tuple[dict[int, list[Span]], dict[int, Usage]]:
    """The spans of all steps but those that are excluded, and what each one's model calls add up to.

    Args:
        contexts: Of each part of the run.
        ends: Where parts end.
        steps: The steps.
        reused: Numbers of those that were taken over.
    """
    uses = {step.function_id: nth for step, nth in child_uses(steps)}
    answers: dict[str, int] = {}
    for step in steps:
        if step.name == GET_RESULT and step.completed is not None:
            answers.setdefault(step.child, step.completed * NS_PER_MS)
    spans: dict[int, list[Span]] = {}
    usages: dict[int, Usage] = {}
    for step in steps:
        context = contexts[min(part_of(ends, step.function_id), len(contexts) - 1)]
        own, usages[step.function_id] = spans_of_step(
            context,
            step,
            reused=step.function_id in reused,
            nth=uses.get(step.function_id, 1),
            answered=answers.get(step.child) if step.starts_child else None,
        )
        if step.of_engine or step.starts_child or context.config.traces_activity(step.name):
            spans[step.function_id] = own
    return spans, usages
