"""Which piece of a library's work in workflow code asks for a step?

Only that code knows, and only while it asks; the step's span ID follows later, from its command. In between goes a
mark, in the command where our header will be. Replayed code marks as well: a tool that began on one worker and ends on
another knows all its steps.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import temporalio.worker
from temporalio.api.common.v1 import Payload

from tracing import conventions as c
from tracing.live.failopen import fail_open

_asking: Final[list[Callable[[], str]]] = []


def tell_of_asking(asking: Callable[[], str]) -> None:
    """Have it asked, whenever workflow code asks for a step, which ID of a library's own does so; "" where none."""
    if asking not in _asking:
        _asking.append(asking)


def asked_by(command: Any) -> str:
    """What asked for the step of a command that has no header of ours yet; "" where nothing of a library's own."""
    mark: bytes = command.headers[c.HEADER].data if c.HEADER in command.headers else b""
    return mark.decode(errors="replace")


class AskingInterceptor(temporalio.worker.WorkflowOutboundInterceptor):
    """Marks the activities and children that workflow code asks for."""

    def start_activity(self, input: temporalio.worker.StartActivityInput) -> Any:  # noqa: A002 - the SDK's name
        """See the SDK."""
        input.headers = _marked(input.headers)
        return super().start_activity(input)

    def start_local_activity(self, input: temporalio.worker.StartLocalActivityInput) -> Any:  # noqa: A002 - the SDK's name
        """See the SDK."""
        input.headers = _marked(input.headers)
        return super().start_local_activity(input)

    async def start_child_workflow(self, input: temporalio.worker.StartChildWorkflowInput) -> Any:  # noqa: A002 - the SDK's name
        """See the SDK."""
        input.headers = _marked(input.headers)
        return await super().start_child_workflow(input)


def _marked(headers: Mapping[str, Payload]) -> Mapping[str, Payload]:
    with fail_open("what asks for a step"):
        for asking in _asking:
            if mark := asking():
                return {**headers, c.HEADER: Payload(data=mark.encode())}
    return headers
