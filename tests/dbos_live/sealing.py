"""A serialiser that seals what it writes, as an application's own may: nobody reads it without the key."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from itertools import cycle
from typing import Any

from dbos import Serializer


class Sealed(Serializer):
    """Seals JSON by a key: no cipher that anybody should use."""

    def __init__(self, key: bytes = b"the key") -> None:
        self.key = key

    def serialize(self, data: Any) -> str:
        sealed = self._turned(json.dumps(data).encode())
        return base64.b64encode(self._mark(sealed) + sealed).decode()

    def deserialize(self, serialized_data: str) -> Any:
        data = base64.b64decode(serialized_data)
        mark, sealed = data[:32], data[32:]
        if not hmac.compare_digest(mark, self._mark(sealed)):
            raise PermissionError("Another key has sealed it.")
        return json.loads(self._turned(sealed))

    def name(self) -> str:
        return "sealed"

    def _turned(self, data: bytes) -> bytes:
        return bytes(byte ^ key for byte, key in zip(data, cycle(hashlib.sha256(self.key).digest())))

    def _mark(self, sealed: bytes) -> bytes:
        return hmac.digest(self.key, sealed, "sha256")


other = Sealed(b"another key")


class Pickling(Sealed):
    """Says that it is DBOS's default one."""

    def name(self) -> str:
        return "py_pickle"
