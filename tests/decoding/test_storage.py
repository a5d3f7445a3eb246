"""Payloads in external storage: fetched by the user's driver from the user's buckets, else shown as references."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from temporalio.api.common.v1 import Payload
from temporalio.converter import DataConverter, ExternalStorage

from tests.decoding.codecs import Shelf, Turning, encoded, reference, turned
from tests.decoding.test_decoder import HIDDEN, SHOWN, decoded, rendered, research
from tests.history.recording import Recording, payload
from tracing import conventions as c
from tracing.decoding import Decoder
from tracing.history import to_spans
from tracing.payloads import REFERENCE_MARKER

if TYPE_CHECKING:
    from tracing.history import History


def stored(shelf: Shelf, *, codec: bool = False) -> Recording:
    """The run of `research` with all its payloads in external storage."""

    def store(given: Payload) -> Payload:
        given = turned(given) if codec else given
        return reference(shelf.put(given), size=given.ByteSize())

    return encoded(research(), store)


def result(given: Payload) -> Recording:
    recording = Recording()
    recording.task()
    recording.complete(given)
    return recording


def output(history: History) -> object:
    return to_spans(history, SHOWN)[0].attributes[c.OUTPUT_VALUE]


def test_stored_payloads_are_fetched() -> None:
    shelf = Shelf()
    history = decoded(stored(shelf), external_storage=shelf)
    assert history.defects == ()
    assert rendered(to_spans(history, HIDDEN)) == rendered(to_spans(research().read(), HIDDEN))


def test_and_decoded_where_a_codec_encoded_them_before() -> None:
    shelf = Shelf()
    history = decoded(stored(shelf, codec=True), Turning(), external_storage=shelf)
    assert history.defects == ()
    assert rendered(to_spans(history, SHOWN)) == rendered(to_spans(research().read(), SHOWN))
    assert output(decoded(stored(shelf, codec=True), external_storage=shelf)) == "<encoded>"


def test_a_data_converter_brings_codec_and_storage_along() -> None:
    shelf = Shelf()
    storage = ExternalStorage(drivers=[shelf])
    converter = replace(DataConverter.default, payload_codec=Turning(), external_storage=storage)
    assert output(decoded(stored(shelf, codec=True), converter)) == "Rome, by train"
    assert output(decoded(stored(shelf), external_storage=storage)) == "Rome, by train"


def test_without_a_driver_they_are_references_with_their_size() -> None:
    given = reference({"key": "secret-key"}, size=70_000)
    assert output(result(given).read()) == "<external payload: 70000 bytes>"
    assert output(decoded(result(given), Turning())) == "<external payload: 70000 bytes>"


def test_references_as_they_were_written_first() -> None:
    shelf = Shelf()
    claim = shelf.put(payload('"x"'))
    data = {"driver_name": "shelf", "driver_claim": {"claim_data": claim}}
    old = Payload(metadata={"encoding": b"json/external-storage-reference"}, data=json.dumps(data).encode())
    assert output(decoded(result(old), external_storage=shelf)) == "x"


def test_references_that_a_codec_encoded() -> None:
    shelf = Shelf()
    given = turned(reference(shelf.put(turned(payload('"x"')))))
    given.metadata[REFERENCE_MARKER] = b"true"
    given.external_payloads.add().size_bytes = 5
    assert output(decoded(result(given), Turning(), external_storage=shelf)) == "x"
    assert output(result(given).read()) == "<external payload: 5 bytes>"
    [defect] = decoded(result(given), external_storage=shelf).defects
    assert "a codec encoded the reference to external storage, and none is given" in defect


def test_the_sdk_itself_writes_what_is_read_here() -> None:
    shelf = Shelf()
    storage = ExternalStorage(drivers=[shelf], payload_size_threshold=0)
    converter = replace(DataConverter.default, payload_codec=Turning(), external_storage=storage)
    [given] = asyncio.run(converter.encode(["x" * 1000]))
    history = decoded(result(given), converter)
    assert (history.defects, output(history)) == ((), "x" * 1000)
    assert output(result(given).read()) == f"<external payload: {given.external_payloads[0].size_bytes} bytes>"


class TestClaimsOfOthers:
    def test_a_bucket_that_the_driver_was_not_made_for_is_not_asked(self, caplog: pytest.LogCaptureFixture) -> None:
        shelf = Shelf(_bucket="mine")
        claim = shelf.put(payload('"x"'))
        stolen = {**claim, "bucket": "salaries"}
        [defect] = decoded(result(reference(stolen)), external_storage=shelf).defects
        assert defect.startswith(
            "A payload in event 5 cannot be decoded: it names a bucket for which its driver was not made; if it is "
            "yours, allow it with --external-storage-bucket"
        )
        assert "(bucket 'salaries', driver 'shelf')" in caplog.text
        assert shelf.asked == []
        assert output(decoded(result(reference(claim)), external_storage=shelf)) == "x"
        assert output(decoded(result(reference(stolen)), external_storage=shelf, buckets=["salaries"])) == "x"

    def test_a_driver_that_was_made_for_none_needs_them_named(self) -> None:
        shelf = Shelf()
        claim = {**shelf.put(payload('"x"')), "bucket": "b"}
        assert decoded(result(reference(claim)), external_storage=shelf).defects
        assert output(decoded(result(reference(claim)), external_storage=shelf, buckets=["a", "b"])) == "x"

    def test_the_sdks_own_driver_for_s3(self) -> None:
        s3driver = pytest.importorskip("temporalio.contrib.aws.s3driver")

        class Bucket(s3driver.S3StorageDriverClient):  # type: ignore[misc, name-defined] # known at run time only
            def __init__(self) -> None:
                self.objects: dict[tuple[str, str], bytes] = {}
                self.asked: list[str] = []

            async def put_object(self, *, bucket: str, key: str, data: bytes) -> None:
                self.objects[bucket, key] = data

            async def object_exists(self, *, bucket: str, key: str) -> bool:
                return (bucket, key) in self.objects

            async def get_object(self, *, bucket: str, key: str) -> bytes:
                self.asked.append(bucket)
                return self.objects[bucket, key]

        client = Bucket()
        driver = s3driver.S3StorageDriver(client=client, bucket="payloads")
        storage = ExternalStorage(drivers=[driver], payload_size_threshold=0)
        [given] = asyncio.run(replace(DataConverter.default, external_storage=storage).encode(["hello"]))
        assert output(decoded(result(given), external_storage=driver)) == "hello"
        others = Payload(metadata=given.metadata, data=given.data.replace(b'"payloads"', b'"salaries"'))
        assert decoded(result(others), external_storage=driver).defects
        assert client.asked == ["payloads"]

    def test_another_driver_is_not_taken_for_it(self, caplog: pytest.LogCaptureFixture) -> None:
        shelf = Shelf()
        given = reference(shelf.put(payload('"x"')), driver="s3://\x1b[31m")
        [defect] = decoded(result(given), external_storage=shelf).defects
        assert "its driver for external storage is none of those given" in defect
        assert "(it names 's3:// [31m'; given: shelf)" in caplog.text

    @pytest.mark.parametrize(
        "data", [b"", b"{}", b"[" * 1000, b'{"driverName": 7}', b'{"driverName":"' + b"x" * 70_000]
    )
    def test_a_broken_reference(self, data: bytes) -> None:
        given = reference({})
        given.data = data
        [defect] = decoded(result(given), external_storage=Shelf()).defects
        assert "it is a broken reference to external storage" in defect

    def test_what_is_too_large_is_not_fetched(self) -> None:
        shelf = Shelf()
        given = reference(shelf.put(payload('"x"')), size=65 << 20)
        [defect] = decoded(result(given), external_storage=shelf).defects
        assert "external storage holds more than 64 MiB for it" in defect
        assert shelf.asked == []


class TestDriversThatFail:
    def test_what_is_gone_is_one_defect(self) -> None:
        recording = Recording(input={"payloads": [reference({"key": "a"}), reference({"key": "b"})]})
        recording.task()
        [defect] = decoded(recording, external_storage=Shelf()).defects
        assert defect == (
            "2 payloads in event 1 cannot be decoded: its driver for external storage raises KeyError. "
            "They stay encoded, and usage in there is unknown."
        )

    def test_one_that_is_gone_leaves_the_others(self) -> None:
        shelf = Shelf()
        given = [reference({"key": "gone"}), reference(shelf.put(payload('"here"')))]
        recording = Recording(input={"payloads": given})
        recording.task()
        history = decoded(recording, external_storage=shelf)
        assert to_spans(history, SHOWN)[0].attributes[c.INPUT_VALUE] == '["<external payload>","here"]'

    @pytest.mark.parametrize("answer", [None, [], ["x"], [Payload(), Payload()], b"x"])
    def test_what_is_no_payload(self, answer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        async def retrieve(*_: object) -> Any:
            return answer

        shelf = Shelf()
        monkeypatch.setattr(shelf, "retrieve", retrieve)
        [defect] = decoded(result(reference({"key": "a"})), external_storage=shelf).defects
        assert "its driver for external storage gave something else than a payload for each claim" in defect

    def test_nothing_is_stored(self) -> None:
        from temporalio.converter import StorageDriverStoreContext  # noqa: PLC0415 - this test's own

        from tracing.decoding.storage import GuardedDriver  # noqa: PLC0415 - this test's own

        with pytest.raises(NotImplementedError):
            asyncio.run(GuardedDriver(Shelf()).store(StorageDriverStoreContext(), [payload()]))


def test_a_decoder_of_nothing_changes_nothing() -> None:
    history = stored(Shelf()).read()
    with Decoder() as decoder:
        assert decoder.decode(history) is history
