"""How is a remote codec asked to decode payloads?

Temporal's codec server protocol: a POST to ``…/decode`` with JSON payloads, the namespace in a header; what comes back
are as many payloads in the same order. Payloads that are waiting at the same time share a request.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final
from urllib.parse import quote, urlsplit

import msgspec
import requests
from temporalio.api.common.v1 import Payload
from urllib3.util import Retry

from tracing.backends.client import TRANSIENT, Client, shown
from tracing.backends.target import Settings, TargetError
from tracing.decoding.problems import DecodingError, EndpointError, words

ENDPOINT_VARIABLE: Final = "TEMPORAL_CODEC_ENDPOINT"
"""Temporal's own variable for the address, as its command line reads it."""
AUTH_VARIABLE: Final = "TEMPORAL_CODEC_AUTH"
"""Temporal's own variable for the Authorization header."""

TIMEOUT_SECONDS: Final = 30.0
"""Longest wait for a connection, and for each part of an answer."""
MAX_SECONDS: Final = 120.0
"""Longest time that one answer may take as a whole."""
DOWN_SECONDS: Final = 30.0
"""An endpoint that did not answer is not asked again for so long."""
MAX_ANSWER_BYTES: Final = 256 << 20
"""An answer that is longer, unpacked, is not read to its end."""

_RETRY: Final = Retry(
    total=4,
    connect=2,
    read=1,
    redirect=0,
    status=4,
    other=0,
    allowed_methods=None,  # decoding changes nothing: it may be asked twice
    status_forcelist=TRANSIENT,
    backoff_factor=0.5,
    backoff_max=5,
    backoff_jitter=0.25,
    respect_retry_after_header=True,
    retry_after_max=10,
    raise_on_status=False,
)
"""At most about ten seconds for a server that is busy, two for one that is not there (forty with waits it asks for)."""

_HEADER: Final = re.compile(r"[\x21-\x7e]+")
_PLACEHOLDER: Final = "{namespace}"
_CHUNK: Final = 1 << 16
_HOPELESS: Final = frozenset({401, 403, 404, 405})
"""Answers that say of every payload the same."""


class _JsonPayload(msgspec.Struct):
    metadata: dict[str, bytes] = {}
    data: bytes = b""


class _JsonPayloads(msgspec.Struct):
    payloads: list[_JsonPayload] = []


class Endpoint:
    """A codec server. Safe to be asked from several threads.

    Attributes:
        url: Its address, with ``{namespace}`` in its path where the user wrote that.
    """

    def __init__(
        self,
        url: str,
        environ: Mapping[str, str],
        *,
        retry: Retry = _RETRY,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """See class.

        Args:
            url: Address, to which ``/decode`` is added.
            environ: Environment variables: `TEMPORAL_CODEC_AUTH` is sent as the Authorization header.
            retry: How often what fails for a moment is tried again.
            clock: Seconds, for the time that an endpoint which is down is left alone.

        Raises:
            ValueError: The address cannot be one of an endpoint.
        """
        self.url = _checked(url)
        auth = environ.get(AUTH_VARIABLE, "").strip()
        self._client = Client(
            Settings(
                headers={"Authorization": auth} if auth else {},
                timeout=TIMEOUT_SECONDS,
                credentials=AUTH_VARIABLE,
                address="--codec-endpoint",
            ),
            retry,
        )
        self._clock = clock
        self._lock = threading.Lock()
        self._down: tuple[float, str, str] | None = None

    def close(self) -> None:
        """Close its connections."""
        self._client.close()

    def decode(self, namespace: str, payloads: Sequence[Payload]) -> list[Payload]:
        """Ask it to decode payloads.

        Raises:
            EndpointError: It does not answer, or refuses every request: it need not be asked for others.
            DecodingError: It refuses these payloads, or answers with something else.
        """
        self._raise_if_down()
        body = msgspec.json.encode(
            _JsonPayloads([_JsonPayload(dict(payload.metadata), payload.data) for payload in payloads])
        )
        url = self._address(namespace)
        headers = {"Content-Type": "application/json", "X-Namespace": namespace}
        try:
            response = self._client.post(url, body, headers, stream=True)
        except TargetError as error:
            raise self._is_down("the codec server cannot be reached", str(error)) from error
        with response:
            if response.status_code != 200:  # noqa: PLR2004 - HTTP's OK
                raise self._refused(response)
            answer = self._read(response)
        try:
            decoded = msgspec.json.decode(answer, type=_JsonPayloads)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise DecodingError("the codec server answered with something else than payloads", words(error)) from None
        return [Payload(metadata=each.metadata, data=each.data) for each in decoded.payloads]

    def _address(self, namespace: str) -> str:
        if not _HEADER.fullmatch(namespace) or not namespace.strip("."):
            raise EndpointError("its namespace cannot be named to a codec server", f"namespace {words(namespace)!r}")
        return f"{self.url.replace(_PLACEHOLDER, quote(namespace, safe=''))}/decode"

    def _read(self, response: requests.Response) -> bytes:
        answer = bytearray()
        end = self._clock() + MAX_SECONDS
        try:
            for chunk in response.iter_content(_CHUNK):
                answer += chunk
                if len(answer) > MAX_ANSWER_BYTES:
                    raise DecodingError(f"the codec server answered with more than {MAX_ANSWER_BYTES >> 20} MiB")
                if self._clock() > end:
                    raise self._is_down(f"the codec server took more than {MAX_SECONDS:g} s to answer", response.url)
        except (requests.RequestException, OSError) as error:
            raise self._is_down("the codec server broke off its answer", words(error)) from error
        return bytes(answer)

    def _refused(self, response: requests.Response) -> DecodingError:
        detail = str(self._client.refusal(response))
        status = response.status_code
        reason = f"the codec server answered {status}"
        if status in _HOPELESS or status in TRANSIENT or 300 <= status < 400:  # noqa: PLR2004 - redirections
            return self._is_down(reason, detail)
        return DecodingError(reason, detail)

    def _raise_if_down(self) -> None:
        with self._lock:
            if self._down is None:
                return
            until, reason, detail = self._down
            if self._clock() < until:
                raise EndpointError(reason, detail, passing=True)
            self._down = None

    def _is_down(self, reason: str, detail: str) -> EndpointError:
        with self._lock:
            self._down = self._clock() + DOWN_SECONDS, reason, detail
        return EndpointError(reason, detail, passing=True)


def _checked(url: str) -> str:
    try:
        parts = urlsplit(url.strip())
        host = parts.hostname
    except ValueError:
        host = None
    if host is None or parts.scheme not in {"http", "https"}:
        raise ValueError(f"--codec-endpoint {shown(url)} is no address: write one such as https://codec.example.com.")
    if parts.username is not None or parts.password is not None:
        raise ValueError(f"--codec-endpoint {shown(url)}: give credentials in {AUTH_VARIABLE}, not in the address.")
    if parts.query or parts.fragment:
        raise ValueError(f"--codec-endpoint {shown(url)}: an endpoint's address has no query and no fragment.")
    if "{" in parts.netloc:
        # The namespace comes from a file: it must not choose who gets the payloads.
        raise ValueError(f"--codec-endpoint {words(url)}: {_PLACEHOLDER} may stand in the path, not in the host.")
    return url.strip().rstrip("/")
