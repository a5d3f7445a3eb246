"""To which agent does a model's answer hand the conversation over?

Of the OpenAI Agents SDK on Temporal: a model activity's input names the agents that can take over, each with the tool
by which the model says so, and its result has the calls of tools. Which agent asked the model, neither says.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from tracing.payloads import PayloadMessage
from tracing.recognisers.model import MAX_NAME

_TYPES: Final = frozenset({"invoke_model_activity", "invoke_model_activity_streaming"})
_JSON: Final = b"json/plain"
_NONE: Final[Mapping[str, str]] = {}


class _Handoff(msgspec.Struct):
    tool_name: str = ""
    agent_name: str = ""


class _Input(msgspec.Struct):
    handoffs: list[_Handoff] | None = None


class _Item(msgspec.Struct):
    type: str | None = None
    name: str | None = None


class _Answer(msgspec.Struct):
    output: list[_Item] = []


class _Event(msgspec.Struct):
    """What a model streams: the last holds its whole answer."""

    response: _Answer | None = None


_inputs: Final = msgspec.json.Decoder(_Input)
_results: Final = msgspec.json.Decoder(_Answer | list[_Event])


def possible_handoffs(activity_type: str, given: Sequence[PayloadMessage]) -> Mapping[str, str]:
    """The agents that can take over after an activity, by the names of their tools.

    Args:
        activity_type: Activity type.
        given: The activity's input. Nothing is found in one that a codec has encoded.
    """
    if activity_type not in _TYPES or not given or given[0].metadata.get("encoding") != _JSON:
        return _NONE
    try:
        handoffs = _inputs.decode(given[0].data).handoffs or ()
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return _NONE
    return {each.tool_name: each.agent_name for each in handoffs if 0 < len(each.agent_name) <= MAX_NAME}


def handed_over_to(possible: Mapping[str, str], result: Sequence[PayloadMessage] | None) -> str:
    """The agent that takes over; "" where none does. Of several that the model names, the SDK takes the first.

    Args:
        possible: The agents that can, by the names of their tools.
        result: The activity's result.
    """
    if not possible or not result or result[0].metadata.get("encoding") != _JSON:
        return ""
    try:
        answer = _results.decode(result[0].data)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return ""
    answers = [event.response for event in answer if event.response] if isinstance(answer, list) else [answer]
    called = (item.name or "" for item in (answers[-1].output if answers else ()) if item.type == "function_call")
    return next((possible[name] for name in called if name in possible), "")
