"""How does an agent wait for a person, for a day if need be, through every crash of its worker?

`workflow.wait_condition` holds nothing but a timer on the server: no thread, no connection, and once the run has left
the worker's cache no memory. The worker may die, be replaced or not be there at all. Whoever decides sends a signal or
an update; the server keeps it, and the next worker replays the run up to the wait and goes on.
"""

from __future__ import annotations

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from agent.approval.activities import notify
    from agent.approval.payloads import Decision, GateRequest, GateResult, GateStatus, Notice, Review, Stage
    from agent.research.activities import call_llm, generate_report, search_web
    from agent.research.payloads import Finding, ReportInput
    from agent.research.prompts import synthesis_request, synthesis_step
    from tracing import waiting_for_person

TASK_QUEUE = "approval-queue"

SEARCH_TIMEOUT = timedelta(seconds=20)
LLM_TIMEOUT = timedelta(seconds=60)
LLM_HEARTBEAT_TIMEOUT = timedelta(seconds=3)
REPORT_TIMEOUT = timedelta(seconds=10)
NOTIFY_TIMEOUT = timedelta(seconds=15)
# A notice that cannot be delivered must not keep the run from waiting: whoever looks at it can still decide.
NOTIFY_FOR_AT_MOST = timedelta(minutes=1)
RETRIES = RetryPolicy(maximum_interval=timedelta(seconds=30), maximum_attempts=5)


@workflow.defn
class ApprovalGateWorkflow:
    """Researches a question, waits until a person approves or rejects the draft, and writes the report if approved."""

    @workflow.init
    def __init__(self, request: GateRequest) -> None:
        self._request = request
        self._stage: Stage = "research"
        self._waits_for: str | None = None
        self._draft: str | None = None
        self._decision: Decision | None = None

    @workflow.run
    async def run(self, request: GateRequest) -> GateResult:
        """Research a question and have the draft decided on.

        Args:
            request: The question, who decides, and by when.

        Returns:
            The report of an approved draft; of any other, why there is none.
        """
        finding = await self._research(request.question)
        self._draft = finding.synthesis

        self._stage = "waiting"
        if not await self._decided(request.reviewer, "approval of the draft", request.decide_within_s):
            self._stage = "escalated"
            await self._decided(request.escalation_contact, "decision after escalation", request.escalate_for_s)

        self._waits_for, decision = None, self._decision
        if decision is None:
            self._stage = "timed_out"
            return GateResult("timed_out", report=None, decision=None)
        if not decision.approved:
            self._stage = "rejected"
            return GateResult("rejected", report=None, decision=decision)
        self._stage = "approved"
        report = await workflow.execute_activity(
            generate_report,
            ReportInput(request.question, finding.synthesis, [finding]),
            start_to_close_timeout=REPORT_TIMEOUT,
        )
        return GateResult("approved", report, decision)

    @workflow.query
    def status(self) -> GateStatus:
        """Tell how the run stands, and what there is to decide on."""
        return GateStatus(self._stage, self._waits_for, self._draft, self._decision)

    @workflow.update
    def decide(self, decision: Decision) -> GateStatus:
        """Decide on the draft, and be told whether the decision counts: the way for a user interface.

        Args:
            decision: The decision.

        Returns:
            How the run stands after it.
        """
        self._decision = decision
        return self.status()

    @decide.validator
    def _may_decide(self, decision: Decision) -> None:
        """Refuse what cannot count. A refused update leaves no event, and costs nothing."""
        problem = self._problem(decision)
        if problem:
            raise ApplicationError(problem, type="Undecidable")

    @workflow.signal
    def approve(self, review: Review) -> None:
        """Approve the draft. A signal tells its sender nothing: one that cannot count is ignored, with a warning."""
        self._signaled(Decision(review, approved=True))

    @workflow.signal
    def reject(self, review: Review) -> None:
        """Reject the draft, likewise."""
        self._signaled(Decision(review, approved=False))

    def _signaled(self, decision: Decision) -> None:
        problem = self._problem(decision)
        if problem:
            workflow.logger.warning("A signal is ignored: %s", problem)
        else:
            self._decision = decision

    def _problem(self, decision: Decision) -> str | None:
        """Why a decision cannot count; none where it can."""
        if not decision.review.reviewer.strip():
            return "A decision needs the name of its reviewer."
        if self._decision is not None:
            return f"{self._decision.review.reviewer} has decided already."
        if self._draft is None:
            return "There is no draft yet to decide on."
        return None

    async def _decided(self, person: str, what: str, within_s: float) -> bool:
        """Ask a person and wait for a decision, whoever makes it; whether there is one in time."""
        self._waits_for = person
        await self._notify(person)
        try:
            await workflow.wait_condition(
                lambda: self._decision is not None,
                timeout=timedelta(seconds=within_s),
                timeout_summary=waiting_for_person(what),
            )
        except TimeoutError:
            workflow.logger.info("%s did not decide in time", person)
        return self._decision is not None

    async def _notify(self, person: str) -> None:
        try:
            await workflow.execute_activity(
                notify,
                Notice(person, self._request.question, workflow.info().workflow_id),
                start_to_close_timeout=NOTIFY_TIMEOUT,
                schedule_to_close_timeout=NOTIFY_FOR_AT_MOST,
            )
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise
            workflow.logger.warning("Nobody could be notified: %s", error.cause)

    async def _research(self, question: str) -> Finding:
        sources = await workflow.execute_activity(
            search_web, question, start_to_close_timeout=SEARCH_TIMEOUT, retry_policy=RETRIES
        )
        step = synthesis_step(1, 1)
        synthesis = await workflow.execute_activity(
            call_llm,
            synthesis_request(step, question, sources),
            start_to_close_timeout=LLM_TIMEOUT,
            heartbeat_timeout=LLM_HEARTBEAT_TIMEOUT,
            retry_policy=RETRIES,
            summary=step,
        )
        return Finding(question, synthesis, sources)
