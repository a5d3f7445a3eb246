"""How is a record of ours written so that it names its scheme, although that is the default of its field?"""

from __future__ import annotations

import msgspec

from tracing.identity import SCHEME


def encode_versioned(record: msgspec.Struct) -> bytes:
    """JSON of a header or ledger without its defaults, but with ``v``: a later scheme has another default.

    Args:
        record: It has a field ``v``, whose default is the scheme of this version, and leaves defaults out.
    """
    data = msgspec.json.encode(record)
    if getattr(record, "v", SCHEME) != SCHEME:
        return data
    return b'{"v":%d%s' % (SCHEME, data[1:] if data == b"{}" else b"," + data[1:])
