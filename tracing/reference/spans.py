"""Which spans are there, when, and who can know of them?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from tracing import conventions as c

Reader = Literal["both", "live", "history"]


@dataclass(frozen=True, slots=True)
class SpanName:
    """One line of the span reference.

    Attributes:
        name: The span's name, with its variable part in braces.
        kind: Its kind.
        meaning: What it is, from when to when.
        when: When there is one.
        group: "client", "run", "step", "model call", "inner" or "other": what attributes are said to be on.
        reader: "both" where the live reader and the history reader show it alike; else the one that can know of it.
        reason: Why only one reader can.
    """

    name: str
    kind: Literal["INTERNAL", "SERVER", "CLIENT", "any"]
    meaning: str
    when: str
    group: Literal["client", "run", "step", "model call", "inner", "other"]
    reader: Reader = "both"
    reason: str = ""

    @property
    def short(self) -> str:
        """Its name without the variable part."""
        return self.name.partition("{")[0].rstrip(": ") or self.name


IN_WORKFLOW_CODE: Final = "What workflow code does between its steps leaves no event."


def _call(name: str, meaning: str, reason: str = "The server does not keep the call itself.") -> SpanName:
    when = "The client had an active span, such as a web request's."
    return SpanName(name, "CLIENT", meaning, when, "client", "live", reason)


_CALLS: Final = (
    SpanName(
        c.start_workflow("{workflow type}"),
        "CLIENT",
        "A client's call that starts a run.",
        "The client had an active span, such as a web request's; else the run's own span is the root.",
        "client",
        "live",
        "History does not keep the call itself; sending makes it again from the run's header where a target lacks it.",
    ),
    _call(c.signal_with_start_workflow("{workflow type}"), "A client's call that starts a run with a signal."),
    _call(
        c.start_update_with_start_workflow("{workflow type}"),
        "A client's call that updates a run, and starts it where there is none.",
    ),
    _call(c.signal_workflow("{signal}"), "A client's call that sends a signal."),
    _call(c.query_workflow("{query}"), "A client's call that asks a query."),
    _call(c.start_workflow_update("{update}"), "A client's call that sends an update."),
    _call(c.CANCEL_WORKFLOW, "A client's call that cancels a run."),
    _call(c.TERMINATE_WORKFLOW, "A client's call that terminates a run."),
    _call(c.CANCEL_ACTIVITY, "A client's call that cancels a standalone activity."),
    _call(c.TERMINATE_ACTIVITY, "A client's call that terminates a standalone activity."),
    _call(c.PAUSE_ACTIVITY, "A client's call that pauses an activity."),
    _call(c.UNPAUSE_ACTIVITY, "A client's call that lets an activity go on."),
    _call(c.UPDATE_ACTIVITY_OPTIONS, "A client's call that changes an activity's options."),
    _call(c.CANCEL_NEXUS_OPERATION, "A client's call that cancels a Nexus operation."),
    _call(c.TERMINATE_NEXUS_OPERATION, "A client's call that terminates a Nexus operation."),
    _call(c.CREATE_SCHEDULE, "A client's call that creates a schedule."),
    _call(c.UPDATE_SCHEDULE, "A client's call that changes a schedule."),
    _call(c.DELETE_SCHEDULE, "A client's call that deletes a schedule."),
    _call(c.PAUSE_SCHEDULE, "A client's call that pauses a schedule."),
    _call(c.UNPAUSE_SCHEDULE, "A client's call that lets a schedule go on."),
    _call(c.TRIGGER_SCHEDULE, "A client's call that starts a schedule's run now."),
    _call(c.BACKFILL_SCHEDULE, "A client's call that makes up for a schedule's missed times."),
    SpanName(
        c.run_start_nexus_operation_handler("{service}", "{operation}"),
        "SERVER",
        "A Nexus handler that starts an operation, on its worker.",
        "Every Nexus operation that a worker with the plugin handles.",
        "other",
        "live",
        "The caller's history keeps the operation, not its handler.",
    ),
    SpanName(
        c.run_cancel_nexus_operation_handler("{service}", "{operation}"),
        "SERVER",
        "A Nexus handler that cancels an operation, on its worker.",
        "Every cancellation that a worker with the plugin handles.",
        "other",
        "live",
        "The caller's history keeps the operation, not its handler.",
    ),
)

SPANS: Final = (
    *_CALLS,
    SpanName(c.run_workflow("{workflow type}"), "SERVER", "A run, from its start to its end.", "Every run.", "run"),
    SpanName(
        c.start_activity("{activity type}"),
        "CLIENT",
        "An activity, local ones too, from when the workflow asked for it until the workflow has its outcome.",
        "Every activity that was sent to the server.",
        "step",
    ),
    SpanName(
        c.run_activity("{activity type}"),
        "SERVER",
        "One attempt of an activity, on its worker.",
        "Every attempt whose times are known. History keeps the last one's only; attempts that failed before it, or "
        "died with their worker, are live only.",
        "other",
    ),
    SpanName(
        c.TIMER, "INTERNAL", "A timer, from when it was set until it fired or was cancelled.", "Every timer.", "step"
    ),
    SpanName(
        "DBOS.{operation}",
        "INTERNAL",
        "What DBOS recorded of itself as a step: DBOS.getResult, DBOS.recv, DBOS.setEvent …",
        "Workflows of DBOS.",
        "step",
    ),
    SpanName(
        c.start_child_workflow("{workflow type}"),
        "CLIENT",
        "A child workflow, from when it was asked for until it closed; the child's run is below it.",
        "Every child.",
        "step",
    ),
    SpanName(
        c.signal_child_workflow("{signal}"),
        "CLIENT",
        "A signal sent to a child, until the server has delivered it.",
        "The workflow signals a child.",
        "step",
    ),
    SpanName(
        c.signal_external_workflow("{signal}"),
        "CLIENT",
        "A signal sent to another workflow, until the server has delivered it.",
        "The workflow signals another.",
        "step",
    ),
    SpanName(
        c.REQUEST_CANCEL_EXTERNAL,
        "CLIENT",
        "A cancellation asked of another workflow, until the server has delivered it.",
        "The workflow cancels another.",
        "step",
    ),
    SpanName(
        c.start_nexus_operation("{service}", "{operation}"),
        "CLIENT",
        "A Nexus operation, from when it was asked for until it closed.",
        "Every Nexus operation.",
        "step",
    ),
    SpanName(
        c.handle_signal("{signal}"),
        "SERVER",
        "A signal that the run received: an instant, for how long a handler runs is not in the history.",
        "Every signal that a workflow task brought, but for those that publish to a stream.",
        "step",
    ),
    SpanName(
        c.handle_update("{update}"),
        "SERVER",
        "An update, from when it was accepted until it was completed.",
        "Every update that was accepted, but for those that wait for a stream: a rejected one leaves no event.",
        "step",
    ),
    SpanName(
        c.handle_query("{query}"),
        "SERVER",
        "A query, answered.",
        "Every query that a worker answered.",
        "step",
        "live",
        "Queries leave no event.",
    ),
    SpanName(
        "chat {model}",
        "CLIENT",
        "A call of a model; also `text_completion {model}` and `generate_content {model}`.",
        "A model client that is instrumented, or `llm_call` around another.",
        "model call",
    ),
    SpanName("embeddings {model}", "CLIENT", "A call of an embedding model.", "As for chat.", "model call"),
    SpanName(c.execute_tool("{tool}"), "INTERNAL", "A call of a tool.", "`@tool`, or an instrumentation.", "inner"),
    SpanName(c.invoke_agent("{agent}"), "INTERNAL", "An agent at work.", "`@agent`, or an instrumentation.", "inner"),
    SpanName(
        c.handoff("{agent}"),
        "INTERNAL",
        "An agent hands the conversation over to another, in workflow code.",
        "OpenAI Agents, with `OpenAIAgentsProcessor`.",
        "other",
        "live",
        IN_WORKFLOW_CODE,
    ),
    SpanName(
        c.guardrail("{name}"),
        "INTERNAL",
        "A guardrail checks what an agent is given or says, in workflow code.",
        "OpenAI Agents, with `OpenAIAgentsProcessor`.",
        "other",
        "live",
        IN_WORKFLOW_CODE,
    ),
    SpanName("invoke_workflow {name}", "INTERNAL", "An agents' workflow at work.", "An instrumentation.", "inner"),
    SpanName(
        "{any other name}",
        "any",
        "What else ended inside an attempt, such as an HTTP request.",
        "The application's own spans and those of its instrumentations.",
        "inner",
    ),
    SpanName(
        c.replay_workflow("{workflow type}"),
        "INTERNAL",
        "A replay of a history against today's code; below it, the steps that the code asked for.",
        "`durable-trace replay`. It is a trace of its own, linked to the run's.",
        "other",
        "history",
        "It is made from a history; a worker that replays shows nothing.",
    ),
)
"""All spans, in the order of the page."""


def carriers(on: str) -> set[str]:
    """The short names of the spans that an attribute's ``on`` speaks of; follows "as KEY".

    Raises:
        LookupError: A part of it names no span and no group of spans.
    """
    on = (
        on.removeprefix("events of ")
        .removeprefix("the client's ")
        .removesuffix(" under it")
        .removesuffix(" of no child")
    )
    if on.startswith("as "):
        return carriers(c.REFERENCE[on.removeprefix("as ")].on)
    return set().union(*(_group(part) for part in on.split(", ")))


def _group(part: str) -> set[str]:
    by_name = {span.short: span for span in SPANS}
    if part in by_name:
        return {part}
    everything = set(by_name)
    model_calls = {span.short for span in SPANS if span.group == "model call"}
    steps = {span.short for span in SPANS if span.group == "step"}
    groups = {
        "every span": everything,
        "every exported span": everything,
        "exported spans": everything,
        "failed spans": everything,
        "timed-out spans": everything,
        "client calls": {span.short for span in SPANS if span.group == "client"},
        "Nexus handlers": {span.short for span in SPANS if span.short.endswith("NexusOperationHandler")},
        "schedule calls": {span.short for span in SPANS if span.short.endswith("Schedule")},
        "signals sent": {span.short for span in SPANS if span.short.startswith("Signal")},
        "steps": steps,
        "steps with input": steps - {c.TIMER, c.REQUEST_CANCEL_EXTERNAL},
        "model calls": model_calls,
        "all but model calls": everything - model_calls - {"{any other name}"},
        "tools": {"execute_tool"},
        "agents": {"invoke_agent"},
        "inner": model_calls | {span.short for span in SPANS if span.group == "inner"},
    }
    if part not in groups:
        raise LookupError(f"{part!r} is neither a span of the reference nor one of {', '.join(groups)}")
    return groups[part]
