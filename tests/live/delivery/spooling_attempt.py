"""The attempt of `tests.live.attempts.attempts` on another provider: begun, and noted in its spool."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.live.attempts.attempts import INFO
from tracing.config import TracingConfig
from tracing.live.attempts.attempt import Attempt, AttemptWorker
from tracing.live.attempts.place import place_attempt
from tracing.live.delivery.emitter import Emitter

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider


def attempt_in(provider: TracerProvider, config: TracingConfig | None = None) -> Attempt:
    config = config or TracingConfig()
    emitter = Emitter(provider)
    worker = AttemptWorker(config, emitter.emit, identity="worker-1", resource=emitter.resource(), provider=provider)
    attempt = Attempt(worker, place_attempt(config, INFO, None, resource=worker.resource, sampled=True))
    emitter.started(attempt.as_begun)
    return attempt
