"""Records `recorded.sqlite.gz` with real DBOS: python tests/data/dbos/record.py."""

from __future__ import annotations

import gzip
import sqlite3
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from dbos import DBOS, DBOSPortableJSONSerializer, SetWorkflowID, WorkflowSerializationFormat

_tries: list[str] = []


@DBOS.step()
def ask(prompt: str) -> dict[str, Any]:
    """A model's answer, as `completion.model_dump()` of the OpenAI client gives it."""
    time.sleep(0.02)
    return {
        "id": f"chatcmpl-{time.time_ns()}",
        "object": "chat.completion",
        "model": "gpt-4o-2024-08-06",
        "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": f"{prompt}!"}}],
        "usage": {
            "prompt_tokens": 1_000,
            "completion_tokens": 100,
            "total_tokens": 1_100,
            "prompt_tokens_details": {"cached_tokens": 400},
        },
    }


@DBOS.step(retries_allowed=True, interval_seconds=0.01, max_attempts=3)
def search(query: str) -> list[str]:
    """Fails once."""
    _tries.append(query)
    if len(_tries) == 1:
        raise TimeoutError("try again")
    return [query]


@DBOS.step()
def find_paper() -> None:
    """Fails."""
    raise LookupError("no such paper")


@DBOS.workflow()
def summarise(text: str) -> dict[str, Any]:
    """The child: its result is a model's answer."""
    return ask(text)


@DBOS.workflow()
def research(topic: str) -> str:
    """A run whose last two steps a fork does again."""
    plan = ask(f"plan {topic}")
    search(plan["id"])
    summarise(topic)
    DBOS.sleep(0.02)
    return str(ask("answer")["choices"][0]["message"]["content"])


@DBOS.workflow()
def fail() -> None:
    """A run that fails."""
    find_paper()


@DBOS.workflow(serialization_type=WorkflowSerializationFormat.NATIVE)
def pickled(topic: str) -> dict[str, Any]:
    """A run whose values are pickles."""
    return ask(topic)


def record(path: Path) -> None:
    """Run them on a new database."""
    DBOS(
        config={
            "name": "researcher",
            "system_database_url": f"sqlite:///{path}",
            "serializer": DBOSPortableJSONSerializer(),
            "application_version": "1.0",
            "log_level": "ERROR",
        }
    )
    DBOS.launch()
    with SetWorkflowID("research-1"):
        research("tides")
    with SetWorkflowID("research-2"):
        fork = DBOS.fork_workflow("research-1", 5)
    fork.get_result()
    with SetWorkflowID("fail-1"):
        handle = DBOS.start_workflow(fail)
    with suppress(LookupError):
        handle.get_result()
    with SetWorkflowID("pickled-1"):
        pickled("tides")
    DBOS.destroy()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        recorded = Path(folder, "recorded.sqlite")
        record(recorded)
        with sqlite3.connect(recorded) as database:
            database.execute("PRAGMA journal_mode = DELETE")
            database.execute("VACUUM")
        database.close()
        data = gzip.compress(recorded.read_bytes(), mtime=0)
        Path(__file__).with_name("recorded.sqlite.gz").write_bytes(data)
