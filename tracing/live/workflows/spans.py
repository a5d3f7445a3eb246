"""What do the spans carry that users and libraries make in workflow code?

The run's identity, as all spans of the run. Content only where it is on. And no usage: workflow code calls no model, an
activity does, and there the call is counted. AI frameworks whose loop runs in the workflow make spans of calls and
agents there as well; backends add up all usage that they find, and would count each call twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from weakref import WeakKeyDictionary

from opentelemetry.context import Context
from opentelemetry.sdk.trace import Span as SdkSpan
from opentelemetry.sdk.trace import SpanProcessor

from tracing import conventions as c
from tracing.live.delivery.sdk_spans import from_sdk_span, tell, told_attributes, withhold
from tracing.live.failopen import fail_open
from tracing.live.workflows.context import WorkflowCode, current_workflow_code
from tracing.spans.content import shown
from tracing.usage import is_model_call

_MODEL_KINDS: Final = frozenset({"LLM", "EMBEDDING"})


class WorkflowSpanProcessor(SpanProcessor):
    """Adds the run's identity to spans in workflow code as they start; takes out content and usage as they end."""

    def __init__(self) -> None:
        self._code: WeakKeyDictionary[SdkSpan, WorkflowCode] = WeakKeyDictionary()

    def on_start(self, span: SdkSpan, parent_context: Context | None = None) -> None:
        """See the SDK."""
        code = current_workflow_code(parent_context)
        if code is None:
            return
        with fail_open("the start of a span in workflow code"):
            self._code[span] = code
            own = span.attributes or {}
            span.set_attributes({key: value for key, value in code.run.common_attributes().items() if key not in own})

    def _on_ending(self, span: SdkSpan) -> None:
        code = self._code.pop(span, None)
        if code is None:
            return
        with fail_open("the end of a span in workflow code"):
            _end(code, span)
            return
        withhold(span, code.run.common_attributes())


def _end(code: WorkflowCode, span: SdkSpan) -> None:
    ended = shown(code.config.inside(), from_sdk_span(span))
    tell(span, ended, _without_usage(told_attributes(span.attributes, ended.attributes)))


def _without_usage(attributes: Mapping[str, Any]) -> dict[str, Any]:
    rest = {key: value for key, value in attributes.items() if not key.startswith(c.ANY_USAGE_PREFIXES)}
    if not is_model_call(rest) and rest.get(c.OPENINFERENCE_KIND) not in _MODEL_KINDS:
        return rest
    # Else backends that see a model and texts would guess the tokens.
    return {**rest, c.OPENINFERENCE_KIND: "CHAIN", c.LANGFUSE_TYPE: "span"}
