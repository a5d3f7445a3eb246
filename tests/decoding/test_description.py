"""What a user may name on the command line, and what is said where it is something else."""

from __future__ import annotations

import asyncio
import pickle
from typing import TYPE_CHECKING

import pytest
from temporalio.api.common.v1 import Payload
from temporalio.converter import DataConverter

from tests.decoding import codecs
from tests.decoding.codecs import Shelf, encoded, reference, turned
from tests.decoding.test_decoder import SHOWN, research
from tests.history.recording import payload
from tracing import conventions as c
from tracing.decoding import Decoding
from tracing.history import to_spans

if TYPE_CHECKING:
    from pathlib import Path

MODULE = "tests.decoding.codecs"


def output(decoding: Decoding) -> object:
    with decoding.open({}) as decoder:
        history = decoder.decode(encoded(research()).read())
    assert history.defects == ()
    return to_spans(history, SHOWN)[0].attributes[c.OUTPUT_VALUE]


@pytest.mark.parametrize("name", ["codec", "Turning", "converter", "made", "made_later", "whole"])
def test_instances_classes_and_what_makes_them(name: str) -> None:
    assert output(Decoding(codec=f"{MODULE}:{name}")) == "Rome, by train"


def test_a_description_can_be_given_to_another_process() -> None:
    decoding = Decoding(codec=f"{MODULE}:made", external_storage=f"{MODULE}:driver", buckets=("b",))
    assert pickle.loads(pickle.dumps(decoding)) == decoding
    assert output(decoding) == "Rome, by train"
    assert not Decoding()


def test_a_module_in_the_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "codec_in_this_folder.py").write_text("from tests.decoding.codecs import Turning as Codec\n")
    monkeypatch.setattr("sys.path", [str(path) for path in __import__("sys").path if path])
    monkeypatch.chdir(tmp_path)
    assert output(Decoding(codec="codec_in_this_folder:Codec")) == "Rome, by train"


def test_a_driver_is_closed_with_the_decoder() -> None:
    codecs.closed.clear()
    with Decoding(external_storage=f"{MODULE}:while_open").open({}):
        assert codecs.closed == []
    assert codecs.closed == ["driver"]


@pytest.mark.parametrize(
    ("reference_", "reason"),
    [
        ("codec", "'codec' names no codec: write module:object, such as shop.codecs:codec"),
        ("nowhere:codec", "There is no module 'nowhere', named in 'nowhere:codec'"),
        (f"{MODULE}:kodec", f"Module '{MODULE}' has no 'kodec': check the spelling"),
        (f"{MODULE}:SEVEN", f"{MODULE}:SEVEN: it is no codec but int: name a PayloadCodec or a DataConverter, or a "),
        (f"{MODULE}:plain", "the data converter has neither a codec nor external storage: it needs no decoding"),
        (f"{MODULE}:needs_a_key", r"it cannot be made \(TypeError: "),
        (f"{MODULE}:breaks", r"it cannot be made \(RuntimeError: no key in the vault\)"),
        (f"{MODULE}:driver", "it is no codec but Shelf"),
    ],
)
def test_what_is_no_codec(reference_: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        Decoding(codec=reference_).open({})


@pytest.mark.parametrize(
    ("name", "reason"),
    [("codec", "it is no storage but Turning"), ("converter", "the data converter has no external storage")],
)
def test_what_is_no_storage(name: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        Decoding(external_storage=f"{MODULE}:{name}").open({})


class TestDataConverterForReplays:
    def test_it_decodes_by_the_same_means(self) -> None:
        async def read(decoding: Decoding, given: Payload) -> object:
            async with decoding.data_converter({}) as converter:
                [value] = await converter.decode([given])
                return value

        stored = reference(codecs.driver.put(turned(payload('"x"'))))
        for decoding in (
            Decoding(codec=f"{MODULE}:whole"),
            Decoding(codec=f"{MODULE}:made", external_storage=f"{MODULE}:while_open"),
        ):
            assert asyncio.run(read(decoding, stored)) == "x"
            assert asyncio.run(read(decoding, turned(payload('"y"')))) == "y"

    def test_buckets_of_others_are_not_asked(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(codecs, "driver", Shelf(_bucket="mine"))

        async def read(bucket: str) -> None:
            claim = {**codecs.driver.put(payload('"x"')), "bucket": bucket}
            async with Decoding(external_storage=f"{MODULE}:driver").data_converter({}) as converter:
                await converter.decode([reference(claim)])

        asyncio.run(read("mine"))
        with pytest.raises(Exception, match="bucket 'salaries', driver 'shelf'"):
            asyncio.run(read("salaries"))

    def test_without_means_it_is_the_default(self) -> None:
        async def read() -> object:
            async with Decoding().data_converter({}) as converter:
                assert converter.payload_converter_class is DataConverter.default.payload_converter_class
                return await converter.decode([payload('"x"')])

        assert asyncio.run(read()) == ["x"]
