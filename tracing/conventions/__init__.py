"""Which attribute keys, span names and header names do we use?

The only package that spells them, and one namespace: ``from tracing import conventions as c``. Engine mechanics carry
the names of Temporal's own OpenTelemetry integration (``temporalio.contrib.opentelemetry``), AI operations those of the
OpenTelemetry GenAI semantic conventions (schema 1.42.0-dev, in development), content those of OpenInference and
Langfuse, as far as their backends need them. What nobody has a name for is ours: ``temporal.*`` for Temporal's facts,
``durable.*`` for facts of any durable engine.
"""

from typing import Final

from tracing.conventions.agents import *  # noqa: F403
from tracing.conventions.backends import *  # noqa: F403
from tracing.conventions.content import *  # noqa: F403
from tracing.conventions.engine import *  # noqa: F403
from tracing.conventions.failures import *  # noqa: F403
from tracing.conventions.genai import *  # noqa: F403
from tracing.conventions.ledger import *  # noqa: F403
from tracing.conventions.metrics import *  # noqa: F403
from tracing.conventions.names import *  # noqa: F403
from tracing.conventions.registry import *  # noqa: F403
from tracing.conventions.registry import REFERENCE
from tracing.conventions.runs import *  # noqa: F403
from tracing.conventions.scores import *  # noqa: F403
from tracing.conventions.usage import *  # noqa: F403
from tracing.conventions.waits import *  # noqa: F403
from tracing.conventions.wire import *  # noqa: F403

READER_ONLY: Final = frozenset(key for key, attribute in REFERENCE.items() if attribute.reader != "both")
"""Attributes that only one of the two readers can know: all others are the same live and exported."""
