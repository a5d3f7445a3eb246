"""Where a model's answer hands the conversation over to another agent: the same live and in the export."""

from __future__ import annotations

import json
from typing import Any

import pytest
from temporalio.api.common.v1 import Payload

from tests.history.both_readers import BothReaders
from tests.live.workflows.steps.commands import schedule
from tests.live.workflows.steps.jobs import completed
from tests.live.workflows.steps.worker import OFF
from tracing import conventions as c
from tracing.history import to_spans
from tracing.recognisers import handed_over_to, possible_handoffs

TRIAGE = {
    "model_name": "gpt-4o",
    "input": [{"role": "user", "content": "Why?", "handoffs": 1}],
    "handoffs": [
        {"tool_name": "transfer_to_research", "agent_name": "Research", "input_json_schema": {}},
        {"tool_name": "transfer_to_billing", "agent_name": "Billing", "input_json_schema": {}},
    ],
}
SAYS = {"type": "message", "content": [{"type": "output_text", "text": "One moment."}]}
USAGE = {"input_tokens": 1, "output_tokens": 1}


def calls(name: str, type_: str = "function_call") -> dict[str, Any]:
    return {"type": type_, "name": name, "arguments": "{}", "call_id": "call-1"}


def as_json(value: Any, encoding: bytes = b"json/plain") -> Payload:
    return Payload(data=json.dumps(value).encode(), metadata={"encoding": encoding})


def over_to(given: Any, result: Any, activity_type: str = "invoke_model_activity") -> str:
    return handed_over_to(possible_handoffs(activity_type, [as_json(given)]), [as_json(result)])


@pytest.mark.parametrize(
    ("output", "agent"),
    [
        ([SAYS, calls("transfer_to_research")], "Research"),
        ([calls("today"), calls("transfer_to_billing"), calls("transfer_to_research")], "Billing"),
        ([calls("today")], ""),
        ([calls("transfer_to_research", "function_call_output")], ""),
        ([SAYS], ""),
        ([], ""),
    ],
    ids=["after words", "the first of two", "a tool", "an output", "words", "nothing"],
)
def test_the_agent_whose_tool_the_answer_calls(output: list[Any], agent: str) -> None:
    assert over_to(TRIAGE, {"output": output, "usage": USAGE, "response_id": "resp-1"}) == agent


def test_a_streamed_answer_is_in_the_last_event() -> None:
    begun = {"type": "response.created", "response": {"output": []}}
    text = {"type": "response.output_text.delta", "delta": "One"}
    ended = {"type": "response.completed", "response": {"output": [calls("transfer_to_research")]}}
    assert over_to(TRIAGE, [begun, text, ended], "invoke_model_activity_streaming") == "Research"
    assert over_to(TRIAGE, [begun, text], "invoke_model_activity_streaming") == ""


@pytest.mark.parametrize(
    "given",
    [
        {**TRIAGE, "handoffs": None},
        {**TRIAGE, "handoffs": "transfer_to_research"},
        {**TRIAGE, "handoffs": [{"tool_name": 1, "agent_name": "Research"}]},
        {**TRIAGE, "handoffs": [{"tool_name": "transfer_to_research"}]},
        {**TRIAGE, "handoffs": [{"tool_name": "transfer_to_research", "agent_name": "R" * 1_000}]},
        [TRIAGE],
        "Why?",
    ],
)
def test_inputs_of_other_shapes_name_nobody(given: Any) -> None:
    assert over_to(given, {"output": [calls("transfer_to_research")]}) == ""


@pytest.mark.parametrize("result", [None, "Research", {"output": [calls("transfer_to_research"), 7]}, [[]], {}])
def test_results_of_other_shapes_hand_nothing_over(result: Any) -> None:
    assert over_to(TRIAGE, result) == ""


def test_what_a_codec_encoded_and_activities_of_other_types_are_not_read() -> None:
    result = as_json({"output": [calls("transfer_to_research")]})
    assert over_to(TRIAGE, {"output": [calls("transfer_to_research")]}, "call_llm") == ""
    assert possible_handoffs("invoke_model_activity", [as_json(TRIAGE, b"binary/encrypted")]) == {}
    assert possible_handoffs("invoke_model_activity", []) == {}
    possible = possible_handoffs("invoke_model_activity", [as_json(TRIAGE)])
    encoded = Payload(data=result.data, metadata={"encoding": b"binary/encrypted"})
    assert [handed_over_to(possible, given) for given in ([result], [encoded], [], None)] == ["Research", "", "", ""]


def test_both_readers_show_it_on_the_step_with_content_off() -> None:
    both = BothReaders(OFF)
    [scheduled] = both.task(
        ms=2, commands=[schedule(1, activity_type="invoke_model_activity", arguments=[as_json(TRIAGE)])]
    )
    result = as_json({"output": [calls("transfer_to_research")], "usage": USAGE})
    both.recording.attempt(scheduled, ms=10)
    both.recording.complete_activity(scheduled, result, ms=20)
    both.task(completed(1, result), ms=22)
    both.check()
    exported = {span.name: span for span in to_spans(both.recording.read(), OFF)}
    [live] = both.worker.held.spans
    assert [span.attributes[c.HANDOFF_TO] for span in (live, exported[live.name])] == ["Research", "Research"]
