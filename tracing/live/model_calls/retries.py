"""How often did a model client send a request again by itself, inside one model call?

The SDKs of OpenAI, Anthropic and others retry failed requests (``max_retries=2``) and tell nobody: no hook, and a log
record only where the user has turned INFO on. All of them send by httpx, so its clients' public method ``send`` is
watched: a request inside a model call that follows a failed one to the same address is a resend, and the call's span
says how many there were (``http.request.resend_count``) and how the last one ended, where one failed. Addresses are
compared, never recorded. Clients that send by other means say it themselves: `LLMCall.retried`.
"""

from __future__ import annotations

import functools
import sys
import threading
from collections.abc import Awaitable, Callable
from typing import Any, Final
from weakref import WeakKeyDictionary

from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.trace import Span as SdkSpan

from tracing import conventions as c
from tracing.live.delivery.forks import in_forked_child
from tracing.live.failopen import fail_open

_CALL: Final = otel_context.create_key("durable-trace-model-call")
_MODULES: Final = ("httpx2", "httpx")
_FAILED_FROM: Final = 400
_lock = threading.Lock()
_watched: set[str] = set()


def _renew_lock() -> None:
    """In a forked child: a thread of the parent's may have held it, and nobody would ever let it go."""
    global _lock  # noqa: PLW0603 - one for each process
    _lock = threading.Lock()


in_forked_child(_renew_lock)


class _Requests:
    """The requests of one model call; it knows not whose, so that the call's span can go."""

    def __init__(self) -> None:
        self._failed: set[tuple[str, str]] = set()
        self._any_failed = False
        self._resends = 0

    def begin(self, span: trace.Span, target: tuple[str, str]) -> None:
        if target in self._failed:
            self.resent(span, 1)

    def end(self, span: trace.Span, target: tuple[str, str], status: int | None) -> None:
        if status is None or status >= _FAILED_FROM:
            self._failed.add(target)
            self._any_failed = True
        else:
            self._failed.discard(target)
        if status is not None and self._any_failed:
            span.set_attribute(c.HTTP_STATUS, status)

    def resent(self, span: trace.Span, times: int) -> None:
        self._resends += times
        span.set_attribute(c.HTTP_RESENDS, self._resends)


_requests: WeakKeyDictionary[trace.Span, _Requests] = WeakKeyDictionary()


def model_call_context(span: trace.Span, context: Context | None = None) -> Context:
    """A context in which requests belong to this model call, whatever spans are opened inside."""
    return otel_context.set_value(_CALL, span, context)


def resent(span: trace.Span, times: int) -> None:
    """A client that is not watched has sent its request again."""
    _requests_of(span).resent(span, times)


def watch_http_clients() -> None:
    """Watch the clients of each httpx that has been imported; as often as one likes."""
    for name in _MODULES:
        if name in _watched or name not in sys.modules:
            continue
        with _lock, fail_open("watching a model client's requests"):
            module = sys.modules[name]
            synchronous, asynchronous = getattr(module, "Client", None), getattr(module, "AsyncClient", None)
            if synchronous is None or asynchronous is None or name in _watched:
                continue  # it is still being imported, or another thread was faster
            _watched.add(name)
            synchronous.send = _watched_send(synchronous.send)
            asynchronous.send = _watched_async_send(asynchronous.send)


def _watched_send(send: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(send)
    def watched(client: Any, request: Any, *args: Any, **kwargs: Any) -> Any:
        ended = _begin(request)
        if ended is None:
            return send(client, request, *args, **kwargs)
        response = None
        try:
            response = send(client, request, *args, **kwargs)
        finally:
            ended(response)
        return response

    return watched


def _watched_async_send(send: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    @functools.wraps(send)
    async def watched(client: Any, request: Any, *args: Any, **kwargs: Any) -> Any:
        ended = _begin(request)
        if ended is None:
            return await send(client, request, *args, **kwargs)
        response = None
        try:
            response = await send(client, request, *args, **kwargs)
        finally:
            ended(response)
        return response

    return watched


def _begin(request: Any) -> Callable[[Any], None] | None:
    """What to call with the response, or None where there is none; None outside of model calls."""
    ended: Callable[[Any], None] | None = None
    with fail_open("a request of a model client"):
        span = _model_call()
        if span is not None:
            requests, target = _requests_of(span), (str(request.method), str(request.url))
            requests.begin(span, target)
            ended = functools.partial(_end, span, requests, target)
    return ended


def _end(span: trace.Span, requests: _Requests, target: tuple[str, str], response: Any) -> None:
    with fail_open("a response to a model client"):
        requests.end(span, target, None if response is None else int(response.status_code))


def _model_call() -> trace.Span | None:
    """The model call around this code: the current span, or the `llm_call` further outside."""
    current = trace.get_current_span()
    if (
        isinstance(current, SdkSpan)
        and current.is_recording()
        and (current.attributes or {}).get(c.OPERATION) in c.MODEL_OPERATIONS
    ):
        return current
    span = otel_context.get_value(_CALL)
    return span if isinstance(span, SdkSpan) and span.is_recording() else None


def _requests_of(span: trace.Span) -> _Requests:
    with _lock:
        return _requests.setdefault(span, _Requests())
