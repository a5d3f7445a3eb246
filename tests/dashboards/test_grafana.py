"""The dashboards' JSON: what the code writes, and what Grafana's models read."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import yaml

from agent.servers.cache import project_file
from dashboards.__main__ import DASHBOARDS, FOLDER, written
from dashboards.expressions import grown, label, metric, series
from tests.dashboards.grafana_models import dumped, loaded, misfits
from tracing import conventions as c

FILES = sorted(FOLDER.glob("*.json"))


def content(name: str) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text())
    return read


@pytest.fixture(params=DASHBOARDS)
def name(request: pytest.FixtureRequest) -> str:
    chosen: str = request.param
    return chosen


def panels(name: str) -> list[dict[str, Any]]:
    return [panel for panel in content(name)["panels"] if panel["type"] != "row"]


def test_the_files_are_what_make_dashboards_writes(name: str) -> None:
    assert (FOLDER / f"{name}.json").read_text() == written(DASHBOARDS[name]())
    assert [file.stem for file in FILES] == sorted(DASHBOARDS)


def test_each_loads_into_grafanas_models_without_a_rest(name: str) -> None:
    dashboard = loaded(content(name))
    assert list(misfits(dashboard)) == []
    assert dumped(dashboard) == (FOLDER / f"{name}.json").read_text()


@pytest.mark.parametrize(
    ("break_it", "misfit"),
    [
        (lambda it: it.update(title=7), "dashboard.title is 7"),
        (lambda it: it.update(graphTooltip=9), "dashboard.graph_tooltip is 9"),
        (lambda it: it["panels"][1].update(title=["x"]), r"dashboard.panels\[1\].title is \['x'\]"),
        (lambda it: it["panels"][1]["gridPos"].update(w="wide"), r"dashboard.panels\[1\].grid_pos.w is 'wide'"),
        (lambda it: it["panels"][1]["targets"][0].update(instant="yes"), r"targets\[0\].instant is 'yes'"),
        (lambda it: it["panels"][1]["options"].update(graphMode="pie"), r"options.graph_mode is 'pie'"),
    ],
)
def test_what_grafana_would_not_understand_is_found(break_it: Any, misfit: str) -> None:
    broken = content("overview")
    break_it(broken)
    assert re.search(misfit, "\n".join(misfits(loaded(broken))))


def test_a_field_that_grafana_does_not_know_is_found() -> None:
    broken = content("overview")
    broken["panels"][1]["titel"] = "Cost"
    assert json.loads(dumped(loaded(broken))) != broken


def test_nothing_is_padded(name: str) -> None:
    """Where there is no data, a panel says so: a zero would hide that nothing arrives."""
    texts = [(FOLDER / f"{name}.json").read_text(), (project_file("dashboards/rules/durable-trace.yml")).read_text()]
    assert [text for text in texts if re.search(r"vector\(|scalar\(|absent_over_time|\bbool\b", text)] == []


def test_each_panel_explains_itself_and_has_a_unit(name: str) -> None:
    for panel in panels(name):
        assert panel["title"]
        assert panel["description"].endswith("."), panel["title"]
        units = [panel["fieldConfig"]["defaults"].get("unit")] + [
            found["value"]
            for override in panel["fieldConfig"]["overrides"]
            for found in override["properties"]
            if found["id"] == "unit"
        ]
        assert any(units), panel["title"]


def test_no_panel_covers_another(name: str) -> None:
    taken: set[tuple[int, int]] = set()
    for panel in content(name)["panels"]:
        at = panel["gridPos"]
        cells = {(at["x"] + x, at["y"] + y) for x in range(at["w"]) for y in range(at["h"])}
        assert not cells & taken
        assert at["x"] + at["w"] <= 24
        taken |= cells


def test_ids_are_of_one_panel_or_dashboard() -> None:
    contents = [content(name) for name in DASHBOARDS]
    assert len({each["uid"] for each in contents}) == len(contents)
    for each in contents:
        ids = [panel["id"] for panel in each["panels"]]
        assert len(set(ids)) == len(ids)


def test_each_metric_that_is_asked_for_exists(name: str) -> None:
    known = {metric(each) for each in c.METRICS}
    parts = known | {f"{each}_{part}" for each in known for part in ("bucket", "sum", "count")}
    for panel in panels(name):
        for target in panel["targets"]:
            asked = set(re.findall(r"\b(?:durable|gen_ai)_\w+(?=[{\[)\s]|$)", target["expr"]))
            labels = {label(key) for each in c.METRICS.values() for key in each.attributes}
            assert asked - labels <= parts, panel["title"]


def test_every_metric_of_ours_is_shown_somewhere() -> None:
    shown = "".join((FOLDER / f"{name}.json").read_text() for name in DASHBOARDS)
    # The tokens of instrumented and declared calls, without workflow or step: durable.tokens has both.
    assert [name for name in c.METRICS if metric(name) not in shown] == ["gen_ai.client.token.usage"]


def test_names_in_prometheus() -> None:
    assert {name: metric(name) for name in ("durable.cost", "durable.attempt.queue_time", "durable.spool.size")} == {
        "durable.cost": "durable_cost_USD_total",
        "durable.attempt.queue_time": "durable_attempt_queue_time_seconds",
        "durable.spool.size": "durable_spool_size_bytes",
    }


def test_growth_counts_new_series_from_zero() -> None:
    assert grown("calls", ("gen_ai.request.model",), "1h") == (
        "sum by (gen_ai_request_model) (max_over_time(calls[1h]) - calls offset 1h or max_over_time(calls[1h]))"
    )


def test_variables_choose_what_a_metric_has() -> None:
    assert series("durable.recoveries") == (
        'durable_recoveries_total{temporal_namespace=~"$namespace", temporal_workflow_type=~"$workflow_type"}'
    )
    assert series("gen_ai.client.operation.duration", "bucket") == (
        'gen_ai_client_operation_duration_seconds_bucket{gen_ai_request_model=~"$model"}'
    )


def test_grafana_is_told_where_they_are() -> None:
    provider = yaml.safe_load(project_file("dashboards/grafana/provisioning/dashboards/durable-trace.yml").read_text())[
        "providers"
    ][0]
    compose = yaml.safe_load(project_file("docker-compose.yml").read_text())
    assert (
        f"./dashboards/grafana/dashboards:{provider['options']['path']}:ro" in compose["services"]["grafana"]["volumes"]
    )
