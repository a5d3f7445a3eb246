"""Runs a workflow on real DBOS, and a fork of it from its third step: DATABASE MODEL_URL.

A process of its own, for DBOS is one for each process. Steps name themselves to the model server.
"""

from __future__ import annotations

import sys
from typing import Any

import openai
from dbos import DBOS, DBOSPortableJSONSerializer, SetWorkflowID


@DBOS.step()
def ask(url: str, prompt: str) -> dict[str, Any]:
    """A model call of a client that nobody instruments."""
    with openai.OpenAI(api_key="none", base_url=url, max_retries=0) as client:
        completion = client.chat.completions.create(
            model="gpt-4o",
            messages=[{"role": "user", "content": prompt}],
            extra_headers={"X-Client-Request-Id": f"{DBOS.workflow_id}/{DBOS.step_id}"},
        )
    return completion.model_dump(mode="json")


@DBOS.workflow()
def summarise(url: str, text: str) -> dict[str, Any]:
    """A child whose result is a model's answer."""
    return ask(url, f"# Sum up {text}")


@DBOS.workflow()
def research(url: str) -> list[str]:
    """Asks twice, has a child ask, and asks once more."""
    answers = [ask(url, "# Plan"), ask(url, "# Search"), summarise(url, "tides"), ask(url, "# Report")]
    return [answer["id"] for answer in answers]


def main(database: str, url: str) -> None:
    """Run both."""
    DBOS(
        config={
            "name": "researcher",
            "system_database_url": database,
            "serializer": DBOSPortableJSONSerializer(),
            "run_admin_server": False,
        }
    )
    DBOS.launch()
    with SetWorkflowID("base"):
        research(url)
    with SetWorkflowID("fork"):
        fork = DBOS.fork_workflow("base", 3)
    fork.get_result()
    DBOS.destroy()


if __name__ == "__main__":
    main(*sys.argv[1:])
