"""Workflows of Temporal's AI plugins: an agent of OpenAI Agents, a graph of LangGraph, a call of Gemini."""

from __future__ import annotations

import os
from typing import Annotated, Any, TypedDict

from temporalio import activity, workflow
from temporalio.contrib.workflow_streams import WorkflowStream

with workflow.unsafe.imports_passed_through():
    from agents import Agent, Runner
    from google.genai import types
    from langchain_core.messages import AIMessage
    from langgraph.graph import END, START, StateGraph
    from langgraph.graph.message import add_messages
    from langsmith import traceable
    from openai import AsyncOpenAI
    from temporalio.google_genai import TemporalAsyncClient
    from temporalio.langgraph import graph

    from tests.e2e.live_workflows import SHORT


@workflow.defn
class Assistant:
    """An agent of OpenAI Agents."""

    @workflow.run
    async def run(self, question: str, model: str | None) -> str:
        agent: Agent[Any] = Agent(name="Assistant", instructions="Answer shortly.", model=model)
        return str((await Runner.run(agent, input=question)).final_output)


@workflow.defn
class StreamingAssistant:
    """An agent of OpenAI Agents, whose answer is streamed to whoever listens to the workflow."""

    @workflow.init
    def __init__(self, question: str, model: str | None) -> None:
        del question, model
        WorkflowStream()

    @workflow.run
    async def run(self, question: str, model: str | None) -> str:
        agent: Agent[Any] = Agent(name="Assistant", instructions="Answer shortly.", model=model)
        streamed = Runner.run_streamed(agent, input=question)
        async for _ in streamed.stream_events():
            pass
        return str(streamed.final_output)


class Conversation(TypedDict):
    """State of the graph."""

    messages: Annotated[list[Any], add_messages]


def model_client() -> AsyncOpenAI:
    """A client of the local model server."""
    return AsyncOpenAI(base_url=os.environ["OPENAI_BASE_URL"], api_key="none", max_retries=0)


async def think(state: Conversation) -> dict[str, Any]:
    """A node that calls a model by OpenAI's client, and gives LangChain's message of its answer."""
    del state
    async with model_client() as client:
        answer = await client.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": "Why?"}])
    usage = answer.usage
    assert usage is not None
    message = AIMessage(
        content=answer.choices[0].message.content or "",
        id=answer.id,
        response_metadata={"model_name": answer.model, "model_provider": "openai", "id": answer.id},
        usage_metadata={
            "input_tokens": usage.prompt_tokens,
            "output_tokens": usage.completion_tokens,
            "total_tokens": usage.total_tokens,
        },
    )
    return {"messages": [message]}


async def pass_on(state: Conversation) -> dict[str, Any]:
    """A node that calls no model, and gives the conversation on as it is."""
    return {"messages": state["messages"]}


def thinking() -> StateGraph[Any, Any, Any, Any]:
    """The graph."""
    built: StateGraph[Any, Any, Any, Any] = StateGraph(Conversation)
    built.add_node("think", think, metadata={"execute_in": "activity", "start_to_close_timeout": SHORT})
    built.add_node("pass_on", pass_on, metadata={"execute_in": "activity", "start_to_close_timeout": SHORT})
    built.add_edge(START, "think")
    built.add_edge("think", "pass_on")
    built.add_edge("pass_on", END)
    return built


@workflow.defn
class Thinking:
    """A graph of LangGraph."""

    @workflow.run
    async def run(self) -> int:
        result = await graph("thinking").compile().ainvoke({"messages": []})
        return len(result["messages"])


@workflow.defn
class Gemini:
    """A call of Gemini's client."""

    @workflow.run
    async def run(self, question: str) -> str:
        client = TemporalAsyncClient()
        answer = await client.models.generate_content(
            model="gemini-2.0-flash",
            contents=question,
            config=types.GenerateContentConfig(temperature=0),
        )
        return answer.text or ""


@traceable
async def answer(question: str) -> str:
    """A model call that LangSmith traces as well."""
    async with model_client() as client:
        messages: Any = [{"role": "user", "content": question}]
        said = await client.chat.completions.create(model="gpt-4o", messages=messages)
    return said.choices[0].message.content or ""


@activity.defn
async def ask(question: str) -> str:
    """An activity with a model call."""
    return await answer(question)


@workflow.defn
class Asking:
    """One model call."""

    @workflow.run
    async def run(self, question: str) -> str:
        return await workflow.execute_activity(ask, question, start_to_close_timeout=SHORT)
