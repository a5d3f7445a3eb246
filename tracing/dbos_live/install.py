"""What does a user call to have DBOS workflows traced live?"""

from __future__ import annotations

import atexit
from typing import Any, Final

import msgspec
from opentelemetry import trace
from opentelemetry.metrics import MeterProvider

from tracing import conventions as c
from tracing.config import TracingConfig, logger
from tracing.dbos.serializers import Serializer, checked
from tracing.dbos_live.process import TracedProcess
from tracing.dbos_live.wrapping import Wrappers, decorated_before
from tracing.headers import TraceHeader
from tracing.live.client.session import current_session
from tracing.live.failopen import fail_open

EXIT_SECONDS: Final = 5.0
installed: list[DBOSTracing] = []
"""None or one: DBOS is one for each process, and so is its tracing."""


class DBOSTracing:
    """The live tracing of this process's DBOS workflows, as `trace_dbos` sets it up.

    Attributes:
        system_database_url: URL of the database that it reads.
    """

    def __init__(self, system_database_url: str, process: TracedProcess) -> None:
        """Trace as the process says."""
        self.system_database_url = system_database_url
        self._process = process
        self._wrappers = Wrappers(process, self._at_end)

    def flush(self, timeout_seconds: float = EXIT_SECONDS) -> bool:
        """Wait until the spans of workflows that have ended are handed to the exporters.

        ``DBOS.destroy()`` and the end of the process do that by themselves.

        Args:
            timeout_seconds: How long at most.

        Returns:
            False where that took longer.
        """
        return self._process.flush(timeout_seconds)

    def install(self) -> None:
        """Begin to trace what is decorated from now on."""
        installed.append(self)
        self._wrappers.put()
        self._process.at_first = self._be_last_registered

    def remove(self) -> None:
        """End that; functions that were decorated meanwhile stay traced."""
        self._wrappers.take_away()
        atexit.unregister(self._at_end)
        installed.remove(self)

    def _be_last_registered(self) -> None:
        """What is registered last is called first at exit: a provider set after `trace_dbos` still runs then."""
        atexit.register(self._at_end)

    def _at_end(self) -> None:
        with fail_open("the flush at the end of DBOS"):
            self.flush()
            self._process.let_go()


def trace_dbos(
    system_database_url: str,
    config: TracingConfig | None = None,
    *,
    tracer_provider: trace.TracerProvider | None = None,
    meter_provider: MeterProvider | None = None,
    serializer: Serializer | None = None,
) -> DBOSTracing:
    """Trace the DBOS workflows of this process: the run, its steps, each attempt, and model calls inside.

    Call it before the first function is decorated, and so before other modules with workflows and steps are imported:
    it wraps ``DBOS.workflow``, ``DBOS.step``, ``DBOS.run_step`` and ``StepReservation.run``, public names all of them.
    What ran is read back from the system database, read-only. A step whose result DBOS takes from there makes no span,
    however often its workflow is recovered.

    Args:
        system_database_url: As in DBOS's configuration: ``sqlite:///agent.sqlite``, ``postgresql://…``.
        config: Settings; from the environment where not given.
        tracer_provider: Where spans go; OpenTelemetry's global provider where not given (`tracing.configure`).
        meter_provider: Where metrics go; OpenTelemetry's global provider where not given.
        serializer: The serialiser of DBOS's configuration, where ledgers are to be written by it as well: one that
            encrypts. Where not given, they are portable JSON.

    Returns:
        What was set up: for its `flush`.

    Raises:
        ValueError: The serialiser is none, or pickle.
    """
    own = checked(serializer, "trace_dbos(serializer=…)") if serializer is not None else None
    if installed:
        if installed[0].system_database_url != system_database_url:
            logger.warning("trace_dbos() was called before, with another database: that one stays.")
        return installed[0]
    process = TracedProcess(
        system_database_url, config or TracingConfig.from_environment(), tracer_provider, meter_provider, own
    )
    process.vouches = False
    with fail_open("the look for functions of DBOS"):
        missed = decorated_before()
        process.vouches = not missed
        if missed:
            logger.warning(
                "%d functions are decorated by DBOS already (%s …), and are not traced: call trace_dbos() before their "
                "modules are imported.",
                len(missed),
                missed[0],
            )
    tracing = DBOSTracing(system_database_url, process)
    tracing.install()
    return tracing


def session_attributes() -> dict[str, Any]:
    """Workflow attributes of DBOS that say in which `session()` this is, so that it is known wherever a workflow runs.

        with session(id="chat-17", user="ada"), SetWorkflowAttributes(session_attributes()):
            DBOS.start_workflow(research, question)

    DBOS keeps them in its database, readable: a user's ID is there only if you put it. Add attributes of your own by
    ``{**session_attributes(), "customer": "acme"}``. Children have those of their parent, though DBOS gives them none.
    """
    told = current_session()
    header = TraceHeader(session=told.id, user=told.user, tags=told.tags, environment=told.environment)
    attributes: dict[str, Any] = {c.HEADER: msgspec.to_builtins(header)}
    return attributes
