"""How is a backend spoken to over HTTP, and what is said when that fails?"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit, urlunsplit

import msgspec
import requests
from google.protobuf.message import DecodeError
from google.rpc.status_pb2 import Status  # type: ignore[import-untyped]  # its package ships no types
from requests.adapters import HTTPAdapter
from urllib3.exceptions import InvalidHeader
from urllib3.util import Retry

from tracing.backends.target import Settings, TargetError
from tracing.version import VERSION

Answer = TypeVar("Answer")

TRANSIENT: Final = frozenset({429, 502, 503, 504})
"""Answers after which OTLP says to try again."""

_RETRY: Final = Retry(
    total=8,
    connect=2,
    read=2,
    redirect=0,
    status=8,
    other=0,
    allowed_methods=None,  # POST too: OTLP asks for it, at the price of a span that may arrive twice
    status_forcelist=TRANSIENT,
    backoff_factor=0.5,
    backoff_max=30,
    backoff_jitter=0.25,
    respect_retry_after_header=True,
    retry_after_max=60,
    raise_on_status=False,
)
"""A minute and a half for a server that is busy, up to eight where it asks for longer waits; about a second for one
that is not there."""

ONCE_MORE: Final = Retry(
    total=1,
    redirect=0,
    status=0,
    other=0,
    allowed_methods=None,
    respect_retry_after_header=False,
    retry_after_max=600,
    raise_on_status=False,
)
"""At once and once: the server may have closed a connection that was kept. What it answers is the caller's business."""

_WORDS: Final = 200
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\s]+")


class Client:
    """Requests to one backend, over connections that are kept until it is closed.

    Args:
        settings: How they are made.
        retry: Which failures are tried again here, and how often; with ``ONCE_MORE`` the caller does that.
    """

    def __init__(self, settings: Settings, retry: Retry = _RETRY) -> None:
        self._settings = settings
        self._session = requests.Session()
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, HTTPAdapter(max_retries=retry))
        self._session.headers.update({"User-Agent": f"durable-trace/{VERSION}", **settings.headers})
        # Without an `auth` of its own, requests takes one from .netrc, over our Authorization header.
        self._session.auth = as_it_is
        if settings.certificate:
            self._session.verify = settings.certificate
        if settings.client_certificate:
            key = settings.client_key
            self._session.cert = (settings.client_certificate, key) if key else settings.client_certificate

    def close(self) -> None:
        """Close its connections."""
        self._session.close()

    def post(self, url: str, body: bytes, headers: Mapping[str, str], *, stream: bool = False) -> requests.Response:
        """Post bytes; transient failures are tried again first.

        Args:
            url: Address.
            body: What is posted.
            headers: Headers of this request, besides the settings'.
            stream: Leave the answer's body to the caller, who must close it.

        Returns:
            The answer, whatever its status.

        Raises:
            TargetError: When there is none.
        """
        return self._request("POST", url, data=body, headers=headers, stream=stream)

    def get_json(self, url: str, parameters: Mapping[str, str | int], kind: type[Answer]) -> Answer:
        """Ask for JSON.

        Args:
            url: Address.
            parameters: Of the query.
            kind: Type that the answer must have.

        Raises:
            StatusError: When the answer is an error.
            TargetError: When there is none, or it is of another type.
        """
        return self._read(self._request("GET", url, params=parameters), kind)

    def post_json(self, url: str, content: object, kind: type[Answer]) -> Answer:
        """Ask for JSON by posting JSON. See ``get_json``."""
        headers = {"Content-Type": "application/json"}
        return self._read(self._request("POST", url, data=msgspec.json.encode(content), headers=headers), kind)

    def refusal(self, response: requests.Response) -> TargetError:
        """What to tell the user of an answer that is an error."""
        status, settings = response.status_code, self._settings
        if 300 <= status < 400:  # noqa: PLR2004 - redirections
            mend = (
                f"It redirects to {shown(response.headers.get('Location', 'nowhere'))}: set {settings.address} to that."
            )
        else:
            mend = {
                400: "It takes no request like this: look at its log.",
                422: "It takes no request like this: look at its log.",
                401: f"Check {settings.credentials}.",
                403: f"Check {settings.credentials}.",
                404: f"Check {settings.address}: nothing answers at that path.",
                405: f"Check {settings.address}: something else answers at that path.",
                413: "Raise its limit on the size of requests.",
                415: f"It does not take OTLP/HTTP with protobuf: check {settings.address}.",
            }.get(status, "Try again later." if status in TRANSIENT or status >= 500 else "Look at its log.")  # noqa: PLR2004 - server errors
        words = _words(response)
        sentence = f"{shown(response.url)} answered {status}{f' ({words})' if words else ''}. {mend}"
        return TargetError(sentence, wait=_wait(response))

    def _read(self, response: requests.Response, kind: type[Answer]) -> Answer:
        if response.status_code // 100 != 2:  # noqa: PLR2004 - HTTP's class of success
            refusal = self.refusal(response)
            raise StatusError(response.status_code, str(refusal), wait=refusal.wait)
        try:
            return msgspec.json.decode(response.content, type=kind)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise TargetError(
                f"{shown(response.url)} answered otherwise than expected ({shortened(str(error))}). "
                f"Check {self._settings.address}, and that its version is supported."
            ) from None

    def _request(self, method: str, url: str, **given: Any) -> requests.Response:
        settings = self._settings
        try:
            # A POST that is redirected would become a GET without its body.
            return self._session.request(method, url, timeout=settings.timeout, allow_redirects=False, **given)
        except requests.exceptions.SSLError as error:
            reason, mend = f"TLS failed: {_cause(error)}", "Check the certificates."
        except (requests.exceptions.Timeout, requests.exceptions.ConnectionError) as error:
            if any(isinstance(cause, TimeoutError) for cause in _causes(error)):
                reason, mend = f"no answer within {settings.timeout:g} s", "See whether it is up."
            else:
                reason, mend = f"cannot be reached: {_cause(error)}", f"Start it, or check {settings.address}."
        except (requests.RequestException, ValueError, OSError) as error:
            reason, mend = f"cannot be used: {shortened(str(error))}", f"Check {settings.address}."
        raise TargetError(f"{shown(url)}: {reason}. {mend}")


class StatusError(TargetError):
    """An answer that is an error.

    Attributes:
        status: HTTP status.
    """

    def __init__(self, status: int, sentence: str, *, wait: float = 0.0) -> None:
        super().__init__(sentence, wait=wait)
        self.status = status


def _wait(response: requests.Response) -> float:
    """Seconds for which a server asks to be left alone."""
    try:
        return ONCE_MORE.parse_retry_after(response.headers.get("Retry-After", "0"))
    except InvalidHeader:
        return 0.0


def shown(url: str) -> str:
    """An address as it may be shown: without user, password and query."""
    try:
        parts = urlsplit(url)
        host = parts.netloc.rpartition("@")[2]
        return shortened(urlunsplit((parts.scheme, host, parts.path, "", "")))
    except ValueError:
        return "the endpoint"


def as_it_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """An `auth` for requests that leaves the headers as they are set."""
    return request


def _causes(error: BaseException) -> Iterator[BaseException]:
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__ or cause.__context__


def _cause(error: BaseException) -> str:
    """The system's words for what is at the bottom of a connection's failure."""
    words = [cause.strerror for cause in _causes(error) if isinstance(cause, OSError) and cause.strerror]
    return shortened(words[-1] if words else str(error))


def _words(response: requests.Response) -> str:
    """What the server says, shortened: a web page says nothing."""
    kind = response.headers.get("Content-Type", "")
    if "html" in kind:
        return ""
    if "protobuf" in kind:
        try:
            return shortened(Status.FromString(response.content).message)
        except DecodeError:
            return ""
    return shortened(response.content[: 4 * _WORDS].decode("utf-8", "replace"))


def shortened(text: str) -> str:
    """Words from outside as they may be shown."""
    # No control characters: they could be commands to a terminal.
    text = _CONTROL.sub(" ", text).strip()
    return text if len(text) <= _WORDS else f"{text[:_WORDS]}…"
