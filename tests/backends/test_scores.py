"""Scores of traces: what Langfuse and Phoenix are told, and what `compare --scores-to` says of it.

Langfuse's answers are written down from the documentation of its public API: no Langfuse runs here. The end-to-end
tests write to a real Phoenix.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from agent.servers.endpoints import free_port
from tests.cost.runs import RecordedRun
from tests.tables.fleet import research, reset
from tracing.backends.langfuse import langfuse_target
from tracing.backends.otlp import otlp_target
from tracing.backends.phoenix import phoenix_target
from tracing.backends.scoring import write_scores
from tracing.backends.target import Target, TargetError
from tracing.cli import run
from tracing.identity import run_trace_id
from tracing.scores import Score
from tracing.tracefile import write_trace

if TYPE_CHECKING:
    from pathlib import Path

    from tests.backends.conftest import Api

TRACE = 0x0AF7651916CD43DD8448EB211C80319C
KEYS = {"LANGFUSE_PUBLIC_KEY": "pk-lf-1", "LANGFUSE_SECRET_KEY": "sk-lf-2"}
BASIC = "Basic cGstbGYtMTpzay1sZi0y"

OBSERVATIONS = "/api/public/v2/observations"
SCORES = "/api/public/scores"
PROJECTS = "/api/public/projects"
ANNOTATIONS = "/v1/trace_annotations"

BEGIN = 1_795_000_000_123_456_789
SAVED = Score("a1" * 16, "durable.saved_usd", 0.01271, "Saved.", BEGIN, metadata={"first_run_id": "run-1"})
WASTE = Score("a2" * 16, "durable.retry_waste_usd", 0.25, "At least.", BEGIN, at_least=True)
UNKNOWN = Score("a3" * 16, "durable.cost_difference_usd", None, "Unknown.", BEGIN)
OUTCOME = Score("a4" * 16, "durable.replay.outcome", "diverged", "Outcome.", BEGIN)


def langfuse(api: Api, **settings: str) -> Target:
    return langfuse_target({**KEYS, "LANGFUSE_BASE_URL": api.url, **settings})


def phoenix(api: Api) -> Target:
    return phoenix_target({"PHOENIX_COLLECTOR_ENDPOINT": api.url, "PHOENIX_API_KEY": "key"})


def in_langfuse(api: Api) -> None:
    """Langfuse has a span of any trace it is asked for."""
    api.answers[OBSERVATIONS] = [{"data": [{"id": "b7ad6b7169203331"}], "meta": {}}]


def in_phoenix(api: Api) -> None:
    spans = {"edges": [{"node": {"spanId": "b7ad6b7169203331"}}], "pageInfo": {"hasNextPage": False}}
    api.answers["/graphql"] = [{"data": {"getTraceByOtelId": {"spans": spans}}}]


def posted(api: Api, path: str) -> list[Any]:
    return [asked.content for asked in api.asked if asked.path == path]


class TestLangfuse:
    def test_each_score_has_its_id_and_the_time_of_the_run(self, api: Api) -> None:
        in_langfuse(api)
        api.answers[SCORES] = [{"id": SAVED.id}, {"id": OUTCOME.id}]
        assert write_scores(langfuse(api), TRACE, [SAVED, OUTCOME]) == 2
        of_both = {"traceId": "0af7651916cd43dd8448eb211c80319c", "timestamp": "2026-11-18T11:06:40.123+00:00"}
        assert posted(api, SCORES) == [
            of_both
            | {
                "id": "a1" * 16,
                "name": "durable.saved_usd",
                "value": 0.01271,
                "dataType": "NUMERIC",
                "comment": "Saved.",
                "metadata": {"first_run_id": "run-1"},
            },
            of_both
            | {
                "id": "a4" * 16,
                "name": "durable.replay.outcome",
                "value": "diverged",
                "dataType": "CATEGORICAL",
                "comment": "Outcome.",
                "metadata": {},
            },
        ]
        assert {asked.authorization for asked in api.asked} == {BASIC}

    def test_what_is_written_again_is_the_same_to_the_last_byte(self, api: Api) -> None:
        for _ in range(2):
            in_langfuse(api)
            api.answers[SCORES] = [{"id": SAVED.id}]
            write_scores(langfuse(api), TRACE, [SAVED])
        first, again = posted(api, SCORES)
        assert first == again

    def test_what_is_unknown_is_no_number_there(self, api: Api) -> None:
        in_langfuse(api)
        api.answers[SCORES] = [{"id": WASTE.id}]
        assert write_scores(langfuse(api), TRACE, [UNKNOWN, WASTE]) == 1
        assert [(score["name"], score["comment"]) for score in posted(api, SCORES)] == [(WASTE.name, "At least.")]

    def test_the_environment_is_that_of_its_own_clients(self, api: Api) -> None:
        in_langfuse(api)
        api.answers[SCORES] = [{"id": SAVED.id}]
        write_scores(langfuse(api, LANGFUSE_TRACING_ENVIRONMENT="staging"), TRACE, [SAVED])
        assert posted(api, SCORES)[0]["environment"] == "staging"

    def test_a_trace_that_is_not_there_gets_none(self, api: Api) -> None:
        api.answers[OBSERVATIONS] = [{"data": [], "meta": {}}]
        with pytest.raises(TargetError, match=r"^Langfuse does not have trace 0af7651916cd43dd8448eb211c80319c: send "):
            write_scores(langfuse(api), TRACE, [SAVED])
        assert posted(api, SCORES) == []


class TestPhoenix:
    def test_all_go_at_once_as_annotations_of_the_trace(self, api: Api) -> None:
        in_phoenix(api)
        api.answers[ANNOTATIONS] = [{"data": [{"id": str(number)} for number in range(4)]}]
        assert write_scores(phoenix(api), TRACE, [SAVED, WASTE, UNKNOWN, OUTCOME]) == 4
        [asked] = [asked for asked in api.asked if asked.path == ANNOTATIONS]
        assert (asked.parameters, asked.authorization) == ({"sync": "true"}, "Bearer key")
        saved, waste, unknown, outcome = asked.content["data"]
        assert saved == {
            "trace_id": "0af7651916cd43dd8448eb211c80319c",
            "name": "durable.saved_usd",
            "annotator_kind": "CODE",
            "identifier": "a1" * 16,
            "result": {"score": 0.01271, "explanation": "Saved."},
            "metadata": {"first_run_id": "run-1"},
        }
        assert waste["result"] == {"score": 0.25, "label": "at least", "explanation": "At least."}
        assert unknown["result"] == {"label": "unknown", "explanation": "Unknown."}
        assert outcome["result"] == {"label": "diverged", "explanation": "Outcome."}

    def test_a_trace_that_is_not_there_gets_none(self, api: Api) -> None:
        api.answers["/graphql"] = [{"data": {"getTraceByOtelId": None}}]
        with pytest.raises(TargetError, match=r"^Phoenix does not have trace 0af7651916cd43dd8448eb211c80319c: send "):
            write_scores(phoenix(api), TRACE, [SAVED])
        assert posted(api, ANNOTATIONS) == []


def test_an_endpoint_for_spans_takes_none() -> None:
    with pytest.raises(TargetError, match=r"^OTLP takes no scores: name phoenix or langfuse\.$"):
        write_scores(otlp_target({}), TRACE, [SAVED])


class TestCompare:
    @pytest.fixture(autouse=True)
    def _settings(self, monkeypatch: pytest.MonkeyPatch, api: Api) -> None:
        for name in list(os.environ):
            if name.startswith(("OTEL_", "PHOENIX_", "LANGFUSE_")):
                monkeypatch.delenv(name)
        for name, value in {**KEYS, "LANGFUSE_BASE_URL": api.url, "PHOENIX_COLLECTOR_ENDPOINT": api.url}.items():
            monkeypatch.setenv(name, value)

    @pytest.fixture
    def sides(self, tmp_path: Path) -> list[str]:
        return [str(write_trace(tmp_path, name, spans)) for name, spans in (("first", research()), ("second", reset()))]

    def test_scores_go_to_each_backend_that_is_named_once(
        self, api: Api, sides: list[str], capsys: pytest.CaptureFixture[str]
    ) -> None:
        in_langfuse(api)
        in_phoenix(api)
        api.answers[SCORES] = [{"id": "any"}] * 6
        api.answers[ANNOTATIONS] = [{"data": [{"id": "any"}] * 7}]
        api.answers[PROJECTS] = [{"data": [{"id": "project-1"}]}]
        to = ["--scores-to", "langfuse", "--scores-to", "phoenix", "--scores-to", "Langfuse"]

        assert run(["compare", *sides, *to]) == 0

        trace = f"{run_trace_id('run-2'):032x}"
        assert capsys.readouterr().err == (
            f"6 scores written to Langfuse: {api.url}/project/project-1/traces/{trace}\n"
            f"7 scores written to Phoenix: {api.url}/redirects/traces/{trace}\n"
        )
        assert {score["traceId"] for score in posted(api, SCORES)} == {trace}
        assert len(posted(api, ANNOTATIONS)[0]["data"]) == 7

    def test_the_comparison_is_printed_all_the_same_where_the_backend_is_away(
        self, sides: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        away = f"http://127.0.0.1:{free_port()}"
        monkeypatch.setenv("PHOENIX_COLLECTOR_ENDPOINT", away)
        assert run(["compare", *sides, "--json"]) == 0
        comparison = capsys.readouterr().out

        assert run(["compare", *sides, "--json", "--scores-to", "phoenix"]) == 1

        said = capsys.readouterr()
        assert said.out == comparison
        assert said.err == (
            f"durable-trace: Scores were not all written: {away}/graphql: cannot be reached: Connection refused. "
            "Start it, or check PHOENIX_COLLECTOR_ENDPOINT.\n"
        )

    def test_one_backend_that_refuses_keeps_nothing_from_the_other(
        self, api: Api, sides: list[str], capsys: pytest.CaptureFixture[str]
    ) -> None:
        in_phoenix(api)
        api.answers[ANNOTATIONS] = [{"data": [{"id": "any"}] * 7}]
        api.statuses[OBSERVATIONS] = 401

        assert run(["compare", *sides, "--scores-to", "langfuse", "--scores-to", "phoenix"]) == 1

        refused, written = capsys.readouterr().err.splitlines()
        assert refused.endswith(" Check LANGFUSE_PUBLIC_KEY and LANGFUSE_SECRET_KEY.")
        assert written.startswith("7 scores written to Phoenix: ")

    def test_several_traces_have_no_scores(
        self, api: Api, tmp_path: Path, sides: list[str], capsys: pytest.CaptureFixture[str]
    ) -> None:
        chain = tmp_path / "chain"
        for run_id in ("run-7", "run-8"):
            write_trace(chain, run_id, RecordedRun(run_id).spans())

        assert run(["compare", sides[0], str(chain), "--scores-to", "phoenix"]) == 1

        assert capsys.readouterr().err == (
            "durable-trace: No scores are written: research-1 is 2 runs of several traces. Give one run, or a run with "
            "its children.\n"
        )
        assert api.asked == []

    @pytest.mark.parametrize(
        ("name", "sentence"),
        [
            ("otlp", "OTLP takes no scores: name phoenix or langfuse."),
            ("http://localhost:4318", "OTLP takes no scores: name phoenix or langfuse."),
            ("elsewhere", "'elsewhere' is no backend: name otlp, phoenix, langfuse or an address, http://…"),
        ],
    )
    def test_what_takes_no_scores_is_wrong_usage(
        self, sides: list[str], name: str, sentence: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert run(["compare", *sides, "--scores-to", name]) == 2
        said = capsys.readouterr()
        assert (said.out, said.err.splitlines()[-1]) == ("", f"Error: {sentence}")

    def test_langfuse_without_keys_is_wrong_usage(self, sides: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("LANGFUSE_SECRET_KEY")
        assert run(["compare", *sides, "--scores-to", "langfuse"]) == 2
