"""What can only one of the two readers know, and why?

The tests that compare both readers take the differences that they allow from here, and fail on any other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from tracing import conventions as c
from tracing.reference.events import EVENTS
from tracing.reference.spans import IN_WORKFLOW_CODE, SPANS

Kind = Literal["attribute", "event", "link", "span"]


@dataclass(frozen=True, slots=True)
class OneReader:
    """Something that only one reader can know.

    Attributes:
        kind: An attribute, an event of the run's span, a link, or a span.
        name: Its key or name, a link's is that of its span; of a span without what varies.
        reader: Who can know it; "ledger" where one of them has it from the attempt's ledger only.
        reason: Why the other cannot.
        where: Which of that name; "" where all.
    """

    kind: Kind
    name: str
    reader: Literal["live", "history", "ledger"]
    reason: str
    where: str = ""


_NOT_TOLD: Final = "Workers are not told of it."
_DESCRIBED: Final = "The server tells it of a run still open; live, a step is sent when it has ended."
REASONS: Final[Mapping[str, str]] = {
    c.EVENT_IDS: "Only history has event IDs: workers are not told them.",
    c.LAST_FAILURE: "Workers are not told what the attempt before failed with.",
    c.LAST_FAILURE_MESSAGE: _DESCRIBED,
    c.PENDING_STATE: _DESCRIBED,
    c.PENDING_ATTEMPT: _DESCRIBED,
    c.PENDING_SCHEDULED_TIME: _DESCRIBED,
    c.PENDING_STARTED_TIME: _DESCRIBED,
    c.PENDING_HEARTBEAT_TIME: _DESCRIBED,
    c.PENDING_NEXT_TIME: _DESCRIBED,
    c.PENDING_HEARTBEAT: _DESCRIBED,
    c.SAMPLED: "Live, nothing is sent of a run that was sampled out.",
    c.REBUILT: "Only sending makes spans again.",
    c.CAUSE: _NOT_TOLD,
    c.RESET_BASE_RUN_ID: _NOT_TOLD,
    c.DEFECT: "Only histories are damaged.",
    c.DEFECTS: "Only histories are damaged.",
    c.UNKNOWN_FIELDS: "Only histories are newer than their reader; a worker gets what its own SDK knows.",
    c.EVENT_ATTRIBUTES: _NOT_TOLD,
    c.PATCH_VERSION: "Only the markers of Go and Java have versions; the live reader is Python's.",
    c.SIDE_EFFECT_ID: "Only Go and Java make such markers; the live reader is Python's.",
    c.UNRECORDED: "Live, what the attempt did is seen; without a ledger, history cannot say.",
    c.QUERY_NAME: "Queries leave no event.",
    c.SCHEDULE_ID: "The server does not keep the client's call.",
    c.NEXUS_OPERATION_ID: "The server does not keep the client's call.",
    c.WORKFLOW_CODE: IN_WORKFLOW_CODE,
    c.HANDOFF_FROM: IN_WORKFLOW_CODE,
    c.GUARDRAIL: IN_WORKFLOW_CODE,
    c.GUARDRAIL_TRIGGERED: IN_WORKFLOW_CODE,
    c.NEXUS_RUN_ID: "The server does not keep the client's call.",
    c.ACTIVITY_RUN_ID: "A standalone activity has no workflow whose history could be read.",
}
"""Why an attribute is only on the spans of one reader."""

_OF_LEDGERS: Final = (
    "The worker knows it of the attempt, history of the step: without a ledger (a cancelled attempt leaves none, nor "
    "one whose worker or client lacks the plugin) the other cannot."
)

_ENCODED_SUMMARY: Final = (
    "The timer's summary marks the wait: where a payload codec encoded that, an export without the codec cannot tell."
)
_ENCODED_PAYLOADS: Final = (
    "Input and result of the model's activity say it: where a payload codec encoded them, an export without the codec "
    "cannot tell."
)
_WITH_THE_TIMER: Final = (
    "A signal or update came with the workflow task in which the timer fired: whether it was in time, the workflow's "
    "code knew, and history does not say."
)

CASES: Final = (
    OneReader(
        "span",
        "HandleUpdate",
        "live",
        "A refused update leaves no event.",
        where="refused by its validator",
    ),
    OneReader(
        "span",
        "RunActivity",
        "live",
        "History keeps the times of the last attempt only, and of none where the activity was over before it was.",
        where="failed before the last and left no ledger, or did not end before its activity",
    ),
    OneReader("span", "invoke_agent", "live", IN_WORKFLOW_CODE, where="in workflow code"),
    OneReader("span", "execute_tool", "live", IN_WORKFLOW_CODE, where="in workflow code"),
    OneReader(
        "span",
        "RunActivity",
        "live",
        "An attempt that is killed with its process writes nothing, and DBOS records none that ends after its workflow "
        "was cancelled.",
        where="of a step of DBOS, killed or too late",
    ),
    OneReader(
        "span",
        "StartActivity",
        "history",
        "It waits for its row, which is not there yet: an export shows the attempts that have ended.",
        where="of a step of DBOS that is not over",
    ),
    OneReader(
        "span",
        "RunWorkflow",
        "history",
        "A worker is not told that a run was terminated or timed out, or is dead.",
        where="whose end no worker of ours handled",
    ),
    OneReader(
        "span",
        "{any step}",
        "history",
        "It had ended in the base run, whose span it is; history shows again that its result was reused.",
        where="taken over by a reset, or by a fork of DBOS",
    ),
    OneReader(
        "link",
        "RunWorkflow",
        "history",
        "Workers are not told that their run came of a reset, nor of which run.",
        where="to the base run of a reset",
    ),
    OneReader(
        "event",
        "UpsertWorkflowSearchAttributes",
        "history",
        "The SDK's Core sets it by itself; what sees the workflow's commands is not told.",
        where="of TemporalChangeVersion, beside a patch",
    ),
    OneReader(
        "span",
        "{any span}",
        "history",
        "It was lost: the worker died, the exporter was down, or the workflow task was done by a worker without the "
        "plugin. A repair sends it.",
        where="lost live",
    ),
)
"""What both readers know in general, and in some cases only one can."""

ONE_READER: Final = (
    *(OneReader("span", span.short, span.reader, span.reason) for span in SPANS if span.reader != "both"),
    *CASES,
    *(OneReader("event", event.name, event.reader, event.reason) for event in EVENTS if event.reader != "both"),
    *(
        OneReader("attribute", key, attribute.reader, REASONS.get(key, ""))
        for key, attribute in c.REFERENCE.items()
        if attribute.reader != "both"
    ),
    *(OneReader("attribute", key, "ledger", _OF_LEDGERS) for key in sorted(c.LEDGER_CARRIED)),
    *(OneReader("attribute", key, "live", _ENCODED_SUMMARY, where="encoded summary") for key in c.WAIT_KEYS),
    OneReader("attribute", c.UNDECODED, "history", "A worker gets them decoded.", where="steps of Temporal"),
    OneReader("attribute", c.HANDOFF_TO, "live", _ENCODED_PAYLOADS, where="encoded payloads"),
    OneReader("attribute", c.WAIT_OUTCOME, "live", _WITH_THE_TIMER, where="a message came with the timer"),
)
"""All of it, in the order of the page."""
