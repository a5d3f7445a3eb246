"""Where in the code was each command issued, and where did the code raise?

Seen from an interceptor inside the workflow, outermost of all. The SDK has no public place through which every command
goes, timers and patches as well as activities: `_add_command` of its workflow instance is that place, and where a later
SDK has none, replays go on without source lines.
"""

from __future__ import annotations

import asyncio
import dataclasses
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import CodeType
from typing import Any, ClassVar, Final

from temporalio.worker import (
    ExecuteWorkflowInput,
    HandleSignalInput,
    HandleUpdateInput,
    WorkflowInboundInterceptor,
    WorkflowInstanceDetails,
    WorkflowOutboundInterceptor,
)

from tracing.replay.code_lines import SourceLine, UserCode

_ORIGIN_DEPTH: Final = 12
"""Frames that are kept of where a coroutine was made."""
_INTERRUPTED: Final = "_InterruptDeadlockError"
"""What the SDK raises into workflow code that does not yield."""


class Issuing:
    """What is known of the places of one workflow instance.

    Attributes:
        lines: Of each command of the current activation, where it was issued.
        raised: Class and message of the last exception that the code raised; "" while there is none.
        raised_at: Where that was.
    """

    def __init__(self, workflow: type, run: CodeType) -> None:
        self.lines: list[SourceLine | None] = []
        self.raised = ""
        self.raised_at: SourceLine | None = None
        self._code = UserCode(workflow)
        self._run = run
        self._loop: asyncio.AbstractEventLoop | None = None

    def watch(self, instance: Any) -> None:
        """Watch a workflow instance of the SDK, which is the event loop of its code as well."""
        add = getattr(instance, "_add_command", None)
        if add is None or not isinstance(instance, asyncio.AbstractEventLoop):
            return
        self._loop = instance

        def add_command() -> Any:
            command = add()
            self.lines.append(self._here())
            return command

        instance._add_command = add_command  # type: ignore[attr-defined] # noqa: SLF001 - see above

    @contextmanager
    def activation(self) -> Iterator[None]:
        """Note where coroutines are made, and commands issued, in the block."""
        self.lines = []
        before = sys.get_coroutine_origin_tracking_depth()
        sys.set_coroutine_origin_tracking_depth(_ORIGIN_DEPTH)
        try:
            yield
        finally:
            sys.set_coroutine_origin_tracking_depth(before)

    def line_here(self) -> SourceLine | None:
        """Where the code is that calls this."""
        return self._code.of_stack(sys._getframe(1))  # noqa: SLF001 - what `inspect.currentframe` gives, and walks

    def line_of(self, stack_trace: str) -> SourceLine | None:
        """The place that a stack trace names."""
        return self._code.of_stack_trace(stack_trace)

    def waiting(self) -> SourceLine | None:
        """Where the workflow's main function waits, or where it begins."""
        found = self._code.of_waiting(self._loop, self._run) if self._loop is not None else None
        return found or self._code.of_function(self._run)

    @contextmanager
    def raising(self) -> Iterator[None]:
        """Note what the block raises, but for cancellation, eviction and continue-as-new."""
        try:
            yield
        except BaseException as error:
            name = type(error).__name__
            if isinstance(error, Exception) or name == _INTERRUPTED:
                self.raised = f"{name}: {error}" if str(error) else name
                self.raised_at = self._code.of_traceback(error.__traceback__)
            raise

    def _here(self) -> SourceLine | None:
        return (
            self.line_here()
            # The end of a run is asked for where its exception was caught.
            or self._code.of_traceback(sys.exc_info()[2])
            or self._code.of_origin(_current_task())
        )


def _current_task() -> asyncio.Task[Any] | None:
    try:
        return asyncio.current_task()
    except RuntimeError:  # outside of any loop
        return None


def watched(details: WorkflowInstanceDetails) -> tuple[WorkflowInstanceDetails, Issuing]:
    """Details of an instance that is watched, and what will be known of it."""
    issuing = Issuing(details.defn.cls, details.defn.run_fn.__code__)
    interceptor = type("_IssuingInterceptor", (_Interceptor,), {"issuing": issuing})
    # The first is the outermost: it is given the SDK's own outbound, and sees what all others raise.
    return dataclasses.replace(details, interceptor_classes=[interceptor, *details.interceptor_classes]), issuing


class _Interceptor(WorkflowInboundInterceptor):
    issuing: ClassVar[Issuing]

    def init(self, outbound: WorkflowOutboundInterceptor) -> None:
        self.issuing.watch(getattr(outbound, "_instance", None))
        super().init(outbound)

    async def execute_workflow(self, input: ExecuteWorkflowInput) -> Any:  # noqa: A002 - the SDK's name
        with self.issuing.raising():
            return await super().execute_workflow(input)

    async def handle_signal(self, input: HandleSignalInput) -> None:  # noqa: A002 - the SDK's name
        with self.issuing.raising():
            await super().handle_signal(input)

    async def handle_update_handler(self, input: HandleUpdateInput) -> Any:  # noqa: A002 - the SDK's name
        with self.issuing.raising():
            return await super().handle_update_handler(input)
