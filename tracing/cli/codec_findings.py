"""Does the codec server answer that exports are to ask?"""

from __future__ import annotations

from collections.abc import Mapping

from tracing.backends.client import shown
from tracing.cli.findings import Finding
from tracing.decoding import Endpoint
from tracing.decoding.endpoint import AUTH_VARIABLE, ENDPOINT_VARIABLE
from tracing.decoding.problems import DecodingError

_NAME = "codec server"


def codec_findings(environ: Mapping[str, str], namespace: str) -> list[Finding]:
    """Ask it to decode nothing; no finding where none is named.

    Args:
        environ: Environment variables.
        namespace: Namespace that it is asked for.
    """
    url = environ.get(ENDPOINT_VARIABLE, "").strip()
    if not url:
        return []
    try:
        endpoint = Endpoint(url, environ)
    except ValueError as error:
        return [Finding(_NAME, "failed", str(error), f"Mend {ENDPOINT_VARIABLE}.")]
    try:
        endpoint.decode(namespace, [])
    except DecodingError as error:
        return [
            Finding(
                _NAME,
                "failed",
                error.detail or str(error),
                f"Exports cannot read what it encodes: mend {ENDPOINT_VARIABLE}.",
            )
        ]
    finally:
        endpoint.close()
    who = "" if environ.get(AUTH_VARIABLE) else f", without {AUTH_VARIABLE}"
    return [Finding(_NAME, "ok", f"{shown(url)} answers{who}")]
