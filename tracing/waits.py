"""How does a workflow say that it waits for a person?

By the summary of the wait's timer: it is in the command that the worker sees and in the event that history keeps, and
any SDK can write it.
"""

from __future__ import annotations

from typing import Final

from tracing.payloads import PayloadMessage

WAITING_FOR_A_PERSON: Final = "Waiting for a person"
"""How a summary begins that marks a wait for a person; alone, or before a colon and what the wait is about."""

_AS_JSON: Final = b'"' + WAITING_FOR_A_PERSON.encode()
_ENDS: Final = (b'"', b":")


def waiting_for_person(what: str = "") -> str:
    """The summary of a timer that ends a wait for a person, by which traces and reports know it.

        await workflow.wait_condition(
            lambda: self.decision is not None,
            timeout=timedelta(hours=24),
            timeout_summary=waiting_for_person("approval of the report"),
        )

    Its `Timer` span then says how the wait ended and who answered, and its time is counted apart. It is a function of
    its argument alone, so a replay makes the same. As other summaries it is shown in Temporal's UI, is no part of what
    a replay compares, and in traces it is content; that a person is waited for is shown with content off, too.

    Args:
        what: What is waited for, in a few words.

    Returns:
        ``Waiting for a person: WHAT``. Workflows in other languages may write it themselves.
    """
    return f"{WAITING_FOR_A_PERSON}: {what}" if what else WAITING_FOR_A_PERSON


def waited_for(summary: str) -> str:
    """What a wait for a person is about, from its timer's summary; "" where that does not say."""
    return summary.removeprefix(WAITING_FOR_A_PERSON).removeprefix(":").strip()


def is_waiting_for_person(summary: PayloadMessage | None) -> bool:
    """Whether a timer's summary marks a wait for a person. Of an encoded one that cannot be told."""
    if summary is None or not summary.data.startswith(_AS_JSON):
        return False
    return summary.data[len(_AS_JSON) :].startswith(_ENDS)
