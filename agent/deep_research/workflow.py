"""In which order does the research go?

Plan, sub-questions, summary, report. Sub-questions that need no answer of another one are researched at the same time,
each by a child workflow. A long research is a chain of runs: between two rounds of sub-questions it goes on in a new
run, with the plan and the answers as its input, so that no history grows without end.
"""

from __future__ import annotations

import asyncio

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from datetime import timedelta

    from agent.deep_research.payloads import Answer, Assignment, Progress, Research, SubQuestion, Turn
    from agent.deep_research.prompts import (
        DONE,
        PLAN,
        REPORT,
        SUB_QUESTIONS,
        SUMMARY,
        parse_plan,
        plan_messages,
        summary_messages,
    )
    from agent.deep_research.steps import reply_to
    from agent.deep_research.sub_question import SubQuestionWorkflow
    from agent.research.activities import generate_report
    from agent.research.payloads import ReportInput

TASK_QUEUE = "deep-research-queue"
PLANNED = 4
"""How many sub-questions the model is asked for."""

PER_RUN = 3
"""After so many answered sub-questions, the research goes on in a new run."""

REPORT_TIMEOUT = timedelta(seconds=10)


@workflow.defn
class DeepResearchWorkflow:
    """Plans sub-questions, has a child workflow answer each, and writes a report."""

    @workflow.init
    def __init__(self, research: Research) -> None:
        # As in `run`, but before the first query can come.
        self._step = SUB_QUESTIONS if research.plan else PLAN
        self._question = research.question
        self._plan = list(research.plan)
        self._answers = {answer.number: answer for answer in research.answers}
        self._researching: list[SubQuestion] = []
        self._tokens = research.tokens

    @workflow.run
    async def run(self, research: Research) -> str:
        """Answer a question.

        Args:
            research: The question; in a run that goes on with another, the plan and the answers so far.

        Returns:
            The report, in Markdown.
        """
        if not self._plan:
            plan = await self._ask(PLAN, Turn(plan_messages(self._question, PLANNED)))
            self._plan = parse_plan(plan, self._question, PLANNED)
        self._step = SUB_QUESTIONS
        while ready := self._ready():
            await asyncio.gather(*(self._answer(question) for question in ready))
            if self._waiting() and self._is_long(since=len(research.answers)):
                workflow.continue_as_new(Research(self._question, self._plan, self._in_order(), self._tokens))
        return await self._report()

    @workflow.query
    def progress(self) -> Progress:
        """Tell how far the research is."""
        return Progress(
            step=self._step,
            answered=[question.text for question in self._plan if question.number in self._answers],
            researching=[question.text for question in self._researching],
            waiting=[question.text for question in self._waiting()],
            tokens=self._tokens,
        )

    def _waiting(self) -> list[SubQuestion]:
        """The sub-questions that are neither answered nor worked on."""
        return [each for each in self._plan if each.number not in self._answers and each not in self._researching]

    def _ready(self) -> list[SubQuestion]:
        """The sub-questions of the next round: those whose answers depend on no other that is still to come."""
        return [each for each in self._waiting() if self._answers.keys() >= set(each.after)][:PER_RUN]

    def _is_long(self, *, since: int) -> bool:
        """Whether this run has had its share; the server says so, too, by the size of the history."""
        return len(self._answers) - since >= PER_RUN or workflow.info().is_continue_as_new_suggested()

    async def _answer(self, question: SubQuestion) -> None:
        self._researching.append(question)
        known = [self._answers[number].finding for number in question.after]
        answer = await workflow.execute_child_workflow(
            SubQuestionWorkflow.run,
            Assignment(question, len(self._plan), known),
            id=f"{workflow.info().workflow_id}/{question.number}",
            static_summary=question.text,
        )
        self._researching.remove(question)
        self._answers[question.number] = answer
        self._tokens += answer.tokens

    async def _report(self) -> str:
        findings = [answer.finding for answer in self._in_order()]
        summary = await self._ask(SUMMARY, Turn(summary_messages(self._question, findings)))
        self._step = REPORT
        report = await workflow.execute_activity(
            generate_report, ReportInput(self._question, summary, findings), start_to_close_timeout=REPORT_TIMEOUT
        )
        self._step = DONE
        return report

    def _in_order(self) -> list[Answer]:
        return [self._answers[number] for number in sorted(self._answers)]

    async def _ask(self, step: str, turn: Turn) -> str:
        self._step = step
        reply = await reply_to(step, turn)
        self._tokens += reply.tokens
        return reply.text
