"""What a payload shows on a span, by its encoding."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracing.payloads import REFERENCE_MARKER, Content, Payload, content_of

JSON = {"encoding": b"json/plain"}
REFERENCE = {"encoding": b"json/protobuf", "messageType": b"temporal.api.sdk.v1.ExternalStorageReference"}
NULL = Payload(b"", {"encoding": b"binary/null"})


@pytest.mark.parametrize(
    ("payloads", "content"),
    [
        pytest.param([], Content("null", "application/json"), id="none"),
        pytest.param([NULL], Content("null", "application/json"), id="null"),
        pytest.param(
            [Payload(b'"plan a trip"', JSON)], Content("plan a trip", "text/plain"), id="a string is its text"
        ),
        pytest.param([Payload(b' "\\u00e9\\n"', JSON)], Content("é\n", "text/plain"), id="escapes are read"),
        pytest.param([Payload(b"17", JSON)], Content("17", "application/json"), id="a number"),
        pytest.param(
            [Payload(b'{"b": 1.50, "a": 12345678901234567890}', JSON)],
            Content('{"b": 1.50, "a": 12345678901234567890}', "application/json"),
            id="JSON stays as it was written",
        ),
        pytest.param(
            [Payload(b'"q"', JSON), NULL, Payload(b"[1]", JSON)],
            Content('["q",null,[1]]', "application/json"),
            id="several are a list",
        ),
        pytest.param(
            [Payload(b'{"id":"7"}', {"encoding": b"json/protobuf", "messageType": b"shop.Order"})],
            Content('{"id":"7"}', "application/json"),
            id="protobuf JSON",
        ),
        pytest.param(
            [Payload(b"\x08\x07", {"encoding": b"binary/protobuf"})],
            Content("<binary/protobuf: 2 bytes>", "text/plain"),
            id="binary protobuf is named",
        ),
        pytest.param(
            [Payload(b"\x00" * 12, {"encoding": b"binary/encrypted"})],
            Content("<encoded>", "text/plain"),
            id="encrypted is not told",
        ),
        pytest.param(
            [Payload(b'"x"', JSON), Payload(b"\x00", {"encoding": b"binary/encrypted"})],
            Content('["x","<encoded>"]', "application/json"),
            id="encrypted among others",
        ),
        pytest.param(
            [Payload(b"{}", {"encoding": b"json/external-storage-reference"})],
            Content("<external payload>", "text/plain"),
            id="stored elsewhere, as it was written first",
        ),
        pytest.param(
            [Payload(b"{}", REFERENCE, stored_bytes=70_000)],
            Content("<external payload: 70000 bytes>", "text/plain"),
            id="stored elsewhere",
        ),
        pytest.param(
            [Payload(b"\x00", {"encoding": b"binary/encrypted", REFERENCE_MARKER: b"true"}, 7)],
            Content("<external payload: 7 bytes>", "text/plain"),
            id="stored elsewhere, with an encrypted reference",
        ),
        pytest.param([Payload(b"abc")], Content("<payload without encoding: 3 bytes>", "text/plain"), id="no encoding"),
        pytest.param([Payload(b"", JSON)], Content("<broken json/plain: 0 bytes>", "text/plain"), id="no JSON"),
        pytest.param([Payload(b'{"a":', JSON)], Content("<broken json/plain: 5 bytes>", "text/plain"), id="cut JSON"),
        pytest.param([Payload(b'"\xff"', JSON)], Content("<broken json/plain: 3 bytes>", "text/plain"), id="not UTF-8"),
        pytest.param(
            [Payload(b"[" * 100_000, JSON)],
            Content("<broken json/plain: 100000 bytes>", "text/plain"),
            id="nested without end",
        ),
        pytest.param(
            [Payload(b"x", {"encoding": b"\xff\xfe"})], Content("<encoded>", "text/plain"), id="a hostile encoding"
        ),
    ],
)
def test_content(payloads: list[Payload], content: Content) -> None:
    assert content_of(payloads) == content


def test_decoded_payloads_may_be_shown_as_history_has_them() -> None:
    payload = Payload(b'"secret"', JSON)
    assert content_of([payload], encoded=True) == Content("<encoded>", "text/plain")
    assert content_of([payload, NULL], encoded=True) == Content('["<encoded>","<encoded>"]', "application/json")
    assert content_of([], encoded=True) == Content("null", "application/json")


def test_what_a_ledger_adds_to_a_payload_does_not_show() -> None:
    payload = Payload(b'"hi"', {**JSON, "durable-trace": b"x\x9c"})
    assert content_of([payload]) == Content("hi", "text/plain")


@given(
    st.lists(
        st.builds(
            Payload,
            st.binary(max_size=60),
            st.sampled_from([b"json/plain", b"json/protobuf", b"binary/plain", b""]).map(lambda e: {"encoding": e}),
        ),
        max_size=3,
    )
)
def test_any_payload_has_text(payloads: list[Payload]) -> None:
    assert content_of(payloads).text
