"""Whatever stands in a history: what was encoded is decoded, and what cannot be decoded harms nothing else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from temporalio.api.common.v1 import Payload
from temporalio.api.history.v1 import History as HistoryProto
from temporalio.client import WorkflowHistory

from tests.decoding.codecs import Shelf, Turning, encoded_events, reference, turned
from tests.decoding.test_decoder import rendered
from tests.history.recording import Recording, payload
from tracing import conventions as c
from tracing.config import TracingConfig
from tracing.decoding import Decoder
from tracing.history import History, read, to_spans

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.slow

DATA = Path(__file__).parents[1] / "data"
RECORDED = sorted(path for path in DATA.rglob("*") if path.suffix in {".json", ".bin"} and path.parent.name != "ui")
SHOWN = TracingConfig(capture_content=True, decode_payloads=True)


@pytest.fixture(scope="module")
def decoder() -> Iterator[Decoder]:
    with Decoder(Turning()) as running:
        yield running


def history_of(source: Any) -> History:
    [history] = read(source)
    assert isinstance(history, History), history
    return history


@pytest.mark.parametrize("headers", [False, True], ids=["headers as they are", "headers encoded"])
@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.name)
def test_recorded_histories_give_the_same_spans_encoded_or_not(path: Path, decoder: Decoder, *, headers: bool) -> None:
    if path.suffix == ".json":
        document = json.loads(path.read_text())
        sdk = WorkflowHistory.from_json("wf", document[0] if isinstance(document, list) else document)
    else:
        sdk = WorkflowHistory("wf", list(HistoryProto.FromString(path.read_bytes()).events))
    run_id = "run"
    plain = history_of((sdk, run_id))
    encoded = history_of((WorkflowHistory("wf", encoded_events(sdk.events, headers=headers)), run_id))
    decoded = decoder.decode(encoded)
    assert decoded.defects == plain.defects
    assert rendered(to_spans(decoded, SHOWN)) == rendered(to_spans(plain, SHOWN))


texts = st.text(alphabet="abc", min_size=1, max_size=4)
Kind = Literal["plain", "encoded", "stored", "encoded and stored", "gone", "garbage"]

described = st.tuples(st.sampled_from(get_args(Kind)), texts)
"""Kind and value of a payload."""


def made(kind: Kind, text: str, shelf: Shelf) -> tuple[Payload, str]:
    """A payload, and what it shows once decoded."""
    plain = payload(json.dumps(text))
    return {
        "plain": (plain, text),
        "encoded": (turned(plain), text),
        "stored": (reference(shelf.put(plain), size=9), text),
        "encoded and stored": (reference(shelf.put(turned(plain))), text),
        "gone": (reference({"key": f"gone {text}"}), "<external payload>"),
        "garbage": (Payload(metadata={"encoding": b"binary/encrypted"}, data=b"\xff" + text.encode()), "<encoded>"),
    }[kind]


@settings(max_examples=50)
@given(inputs=st.lists(st.lists(described, min_size=1, max_size=4), min_size=1, max_size=4))
def test_each_payload_is_decoded_or_named(inputs: list[list[tuple[Kind, str]]]) -> None:
    recording, expected, shelf = Recording(), [], Shelf()
    task = recording.task()
    for number, described_payloads in enumerate(inputs):
        payloads, values = zip(*(made(kind, text, shelf) for kind, text in described_payloads), strict=True)
        recording.activity(task, str(number), input={"payloads": payloads})
        expected.append(values[0] if len(values) == 1 else json.dumps(values, separators=(",", ":")))
    with Decoder(Turning(), shelf) as decoder:
        history = decoder.decode(history_of((recording.sdk(), recording.run_id)))
        again = decoder.decode(history)
    _, *steps = to_spans(history, SHOWN)
    assert [step.attributes[c.INPUT_VALUE] for step in steps] == expected
    assert len(history.defects) == len({kind for each in inputs for kind, _ in each} & {"gone", "garbage"})
    assert rendered(to_spans(again, SHOWN)[1:]) == rendered(steps)
