"""Which builds of the research agent are deployed in the experiments?

All have the workflow type of the first: a deploy replaces the code of runs that are going on.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from temporalio import workflow
from temporalio.common import RetryPolicy

with workflow.unsafe.imports_passed_through():
    from agent.failures.archive import look_up
    from agent.failures.prompts import CHECK, check_request
    from agent.research.payloads import Finding, SearchResult
    from agent.research.settings import ResearchSettings
    from agent.research.workflow import DEFAULTS, ResearchAgentWorkflow

WORKFLOW_TYPE: Final = ResearchAgentWorkflow.__name__
CHECK_PATCH: Final = "check-findings"
LOOK_UP_TIMEOUT: Final = timedelta(seconds=20)
LOOK_UP_RETRIES: Final = RetryPolicy(initial_interval=timedelta(milliseconds=200), maximum_attempts=5)


@workflow.defn(name=WORKFLOW_TYPE)
class CheckingBuild(ResearchAgentWorkflow):
    """The next build: it has the model check the findings before they are summed up."""

    @workflow.run
    async def run(self, query: str, settings: ResearchSettings = DEFAULTS) -> str:
        """Answer a question, as the build before."""
        return await super().run(query, settings)

    async def summarise(self, query: str, findings: list[Finding]) -> str:
        """Sum up the findings, which the model has checked."""
        # A run that summed up before the deploy has no check in its history, and its replay must not ask for one.
        if workflow.patched(CHECK_PATCH):
            await self.call_llm(CHECK, check_request(findings))
        return await super().summarise(query, findings)


@workflow.defn(name=WORKFLOW_TYPE)
class ArchiveBuild(ResearchAgentWorkflow):
    """A build that looks into the team's own archive, too, before each synthesis."""

    @workflow.run
    async def run(self, query: str, settings: ResearchSettings = DEFAULTS) -> str:
        """Answer a question, from the web and from the archive."""
        return await super().run(query, settings)

    async def synthesise(self, step: str, query: str, sources: list[SearchResult]) -> Finding:
        """Have the model say what the sources of one search and the archive find."""
        notes = await workflow.execute_activity(
            look_up, query, start_to_close_timeout=LOOK_UP_TIMEOUT, retry_policy=LOOK_UP_RETRIES
        )
        return await super().synthesise(step, query, [*sources, *notes])


BUILDS: Final[dict[str, type]] = {"first": ResearchAgentWorkflow, "checking": CheckingBuild, "archive": ArchiveBuild}
"""The builds by the names that the worker's command takes."""
