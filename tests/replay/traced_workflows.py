"""A workflow beside its tools and model calls, in one module, as agents often are."""

from __future__ import annotations

from datetime import timedelta

from temporalio import activity, workflow
from temporalio.client import Client

from tracing import TracingPlugin, configure, llm_call, tool


@tool
def look_up(topic: str) -> str:
    return f"all about {topic}"


@activity.defn
def plan(question: str) -> str:
    with llm_call(model="gpt-4o", provider="openai"):
        return look_up(question)


@workflow.defn(name="Research")
class ResearchWithTools:
    @workflow.run
    async def run(self, question: str) -> str:
        soon = timedelta(seconds=10)
        found = await workflow.execute_activity(plan, question, start_to_close_timeout=soon)
        return str(await workflow.execute_activity("sum_up", found, start_to_close_timeout=soon))


async def main() -> None:
    configure()
    await Client.connect("localhost:7233", plugins=[TracingPlugin()])
