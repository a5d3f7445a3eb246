"""How is a model call found that nobody instrumented? In the result that its activity left.

The AI plugins for Temporal make each model call an activity, and its result holds the usage. Each module here knows one
kind of result, by activity type and shape; more can be added by packages, through the entry points
``durable_trace.recognisers``. `recognised_calls` asks them, for both readers alike.
"""

from tracing.recognisers.handoffs import handed_over_to, possible_handoffs
from tracing.recognisers.model import Call, Completed, Recogniser, Tokens
from tracing.recognisers.recognise import MAX_BYTES, may_show_calls, recognised_calls

__all__ = [
    "MAX_BYTES",
    "Call",
    "Completed",
    "Recogniser",
    "Tokens",
    "handed_over_to",
    "may_show_calls",
    "possible_handoffs",
    "recognised_calls",
]
