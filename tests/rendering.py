"""How do our tests write a trace down? As text: one line a span, below it the attributes that are not the run's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracing import conventions as c
from tracing.rendering import render as render_tree

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from tracing.spans.model import Span

REPEATED = frozenset(
    {
        c.WORKFLOW_ID,
        c.RUN_ID,
        c.NAMESPACE,
        c.WORKFLOW_TYPE,
        c.SESSION_ID,
        c.CONVERSATION_ID,
        c.USER_ID,
        c.TAGS,
        c.LANGFUSE_TAGS,
        c.OPENINFERENCE_KIND,
        c.LANGFUSE_TRACE_NAME,
    }
)
"""What every span of a run repeats, and the kind and the trace's name, which its name says."""


def render(
    spans: Iterable[Span],
    *,
    only: Collection[str] | None = None,
    hide: Collection[str] = REPEATED,
    times: bool = True,
    names: dict[str, str] | None = None,
) -> str:
    """Render spans as a tree, with all attributes but those that only repeat the run.

    Args:
        spans: The spans.
        only: The attribute keys to show; all where None.
        hide: The attribute keys not to show.
        times: Whether to show start and end, in ms from the first start.
        names: What to write in the place of a text that is another in each run, such as an ID.
    """

    def shows(key: str) -> bool:
        return key not in hide and (only is None or key in only)

    text = render_tree(spans, shows=shows, times=times)
    for value, name in (names or {}).items():
        text = text.replace(value, name)
    return text
