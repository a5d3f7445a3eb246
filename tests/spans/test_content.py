"""What of inputs, outputs, errors and the spans of others may leave the process."""

from __future__ import annotations

import dataclasses
import json

import msgspec
import pytest
from temporalio.api.common.v1 import Payload as PayloadProto
from temporalio.api.failure.v1 import ApplicationFailureInfo
from temporalio.api.failure.v1 import Failure as FailureProto

from tests.spans.research import OFF, ON, START
from tracing.config import TracingConfig
from tracing.failures import failure_from_proto
from tracing.payloads import Payload
from tracing.redaction import redactors
from tracing.runs import Attributes
from tracing.spans.content import error, input_output, shown, summary_of
from tracing.spans.model import Event, Link, Span, SpanKind, StatusCode

JSON = {"encoding": b"json/plain"}
ENCODED = dataclasses.replace(ON, encoded_payloads=True)
REDACTED = dataclasses.replace(ON, redact=redactors("all"))


def inner(attributes: Attributes, *, events: tuple[Event, ...] = (), links: tuple[Link, ...] = ()) -> Span:
    return Span(1, 2, 3, "GET", SpanKind.CLIENT, START, START, attributes, events=events, links=links)


class TestInputAndOutput:
    def test_json_is_cut_as_json(self) -> None:
        config = dataclasses.replace(ON, max_content_length=100)
        attributes = input_output(config, [Payload(json.dumps({"q": "why? " * 99}).encode(), JSON)], None)
        assert attributes["input.value"] == (
            '{"q":"why? why? why? why? why? why? why? why? why? why? why? why? why? why?… [cut: 495 characters]"}'
        )
        assert attributes["input.mime_type"] == "application/json"

    def test_json_that_has_to_be_cut_as_text_is_called_text(self) -> None:
        config = dataclasses.replace(ON, max_content_length=40)
        attributes = input_output(config, None, [Payload(json.dumps(list(range(99))).encode(), JSON)])
        assert attributes == {
            "input.value": "null",
            "input.mime_type": "application/json",
            "output.value": "[0, 1, 2, 3, 4, 5… [cut: 386 characters]",
            "output.mime_type": "text/plain",
        }

    def test_it_is_redacted_and_stays_json(self) -> None:
        attributes = input_output(REDACTED, [Payload(b'{"password": "a", "n": 1.50}', JSON)], None)
        assert attributes["input.value"] == '{"password": "[redacted: password]", "n": 1.50}'
        assert attributes["input.mime_type"] == "application/json"


class TestWithACodec:
    """What workers see decoded, and history holds encoded."""

    def test_inputs_and_outputs_are_not_told(self) -> None:
        # As the history reader shows what it cannot decode.
        encrypted = Payload(b"\x07\x08", {"encoding": b"binary/encrypted"})
        plain = Payload(b'"secret"', JSON)
        assert input_output(ENCODED, [plain], [plain]) == input_output(ON, [encrypted], [encrypted])
        assert input_output(ENCODED, [plain], None)["input.value"] == "<encoded>"
        assert input_output(ENCODED, [], None)["input.value"] == "null"
        assert input_output(ENCODED, [plain, plain], None)["input.value"] == '["<encoded>","<encoded>"]'

    def test_nor_are_summaries(self) -> None:
        assert summary_of(ENCODED, Payload(b'"secret"', JSON)) == {"temporal.summary": "<encoded>"}

    def test_a_failure_says_what_is_beside_its_encoded_attributes(self) -> None:
        failure = FailureProto(
            message="Encoded failure",
            encoded_attributes=PayloadProto(metadata=JSON, data=b'{"message": "secret", "stack_trace": "at secret"}'),
            application_failure_info=ApplicationFailureInfo(type="ValueError"),
        )
        decoded = failure_from_proto(failure)
        assert error(ON, decoded, START)[1] == "secret"
        status, message, attributes, events = error(ENCODED, decoded, START)
        assert (status, message, attributes) == (StatusCode.ERROR, "Encoded failure", {"error.type": "ValueError"})
        assert events[0].attributes == {"exception.type": "ValueError", "exception.message": "Encoded failure"}

    def test_a_failure_that_is_in_clear_in_the_history_is_so_here(self) -> None:
        failure = failure_from_proto(FailureProto(message="no luck", stack_trace="at roll"))
        assert error(ENCODED, failure, START) == error(ON, failure, START)

    def test_what_happens_inside_has_no_content(self) -> None:
        assert ENCODED.inside().capture_content is False
        assert ON.inside() is ON


class TestSpansOfOthers:
    def test_without_content_addresses_have_no_user_and_no_query(self) -> None:
        span = inner(
            {
                "url.full": "https://ada:pw@api.local:8443/v1/chat?key=1#top",
                "http.url": "api.local/a?key=1",
                "http.target": "/v1/chat?key=1",
                "url.path": "/v1/chat",
            }
        )
        assert shown(OFF, span).attributes == {
            "url.full": "https://api.local:8443/v1/chat",
            "http.url": "api.local/a",
            "http.target": "/v1/chat",
            "url.path": "/v1/chat",
        }
        assert shown(ON, span) == span

    @pytest.mark.parametrize(
        "key",
        [
            "url.query",
            "db.statement",
            "db.query.text",
            "db.query.parameter.0",
            "http.request.header.authorization",
            "http.response.header.set-cookie",
            "llm.input_messages.0.message.content",
            "traceloop.entity.input",
        ],
    )
    def test_without_content_what_they_send_is_left_out(self, key: str) -> None:
        assert shown(OFF, inner({key: "secret", "server.address": "db.local"})).attributes == {
            "server.address": "db.local"
        }
        assert shown(OFF, inner({key: ("secret",)})).attributes == {}
        assert shown(ON, inner({key: "secret"})).attributes == {key: "secret"}

    def test_a_redactor_sees_all_their_text(self) -> None:
        span = inner(
            {"url.full": "https://a.local/?api_key=1", "mail.to": ("ada@example.com", "x"), "n": 4111111111111111},
            events=(Event("to ada@example.com", START, {"db.statement": "password='a'"}),),
            links=(Link(1, 2, {"to": "ada@example.com"}),),
        )
        told = shown(REDACTED, msgspec.structs.replace(span, name="SEND ada@example.com", status_message="password=a"))
        assert told == msgspec.structs.replace(
            span,
            name="SEND [redacted: email address]",
            status_message="password=[redacted: password]",
            attributes={
                "url.full": "https://a.local/?api_key=[redacted: api key]",
                "mail.to": ("[redacted: email address]", "x"),
                "n": 4111111111111111,
            },
            events=(Event("to [redacted: email address]", START, {"db.statement": "password='[redacted: password]'"}),),
            links=(Link(1, 2, {"to": "[redacted: email address]"}),),
        )

    def test_also_where_content_is_off(self) -> None:
        config = TracingConfig(redact=redactors("email"))
        assert shown(config, inner({"mail.to": "ada@example.com"})).attributes == {
            "mail.to": "[redacted: email address]"
        }

    def test_who_runs_what_stays_as_the_user_said(self) -> None:
        # It is the same on the spans of steps, and traces are found by it.
        identity: Attributes = {
            "session.id": "ada@example.com",
            "gen_ai.conversation.id": "ada@example.com",
            "user.id": "ada@example.com",
            "tag.tags": ("ada@example.com",),
            "temporalWorkflowID": "ada@example.com",
        }
        assert shown(REDACTED, inner(identity)).attributes == identity

    def test_messages_are_cut_inside(self) -> None:
        config = dataclasses.replace(ON, max_content_length=150)
        messages = json.dumps([{"role": "user", "parts": [{"type": "text", "content": "why? " * 99}]}])
        told = shown(config, inner({"gen_ai.input.messages": messages})).attributes["gen_ai.input.messages"]
        assert len(str(told)) <= 150
        assert json.loads(str(told))[0].keys() == {"role", "parts"}

    def test_events_that_are_messages_have_no_attributes_without_content(self) -> None:
        event = Event("gen_ai.user.message", START, {"content": "secret"})
        assert shown(OFF, inner({}, events=(event,))).events == (Event("gen_ai.user.message", START),)
        assert shown(ON, inner({}, events=(event,))).events == (event,)
