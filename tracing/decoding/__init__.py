"""Histories whose payloads a codec encoded, or which stand in external storage, made readable."""

from tracing.decoding.decoder import Decoder
from tracing.decoding.description import Decoding
from tracing.decoding.endpoint import Endpoint

__all__ = ["Decoder", "Decoding", "Endpoint"]
