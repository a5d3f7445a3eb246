"""Each alert fires when it should and not otherwise, asked of Prometheus' own promtool."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from agent.servers.cache import project_file
from agent.servers.prometheus import find_promtool

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow

RULES = project_file("dashboards/rules/durable-trace.yml")
GROUPS: list[dict[str, Any]] = yaml.safe_load(RULES.read_text())["groups"]
ALERTS: dict[str, dict[str, Any]] = {
    rule["alert"]: rule for group in GROUPS for rule in group["rules"] if "alert" in rule
}
NS = 'temporal_namespace="default"'
WORKFLOW = f'{NS}, temporal_workflow_type="Research"'
STEP = f'{WORKFLOW}, temporal_activity_type="call_llm"'
MODEL = f'{STEP}, gen_ai_request_model="gpt-4o"'
QUEUE = f'{NS}, temporal_task_queue="research"'


@dataclass
class Case:
    """An alert after half an hour, with a value a minute.

    Attributes:
        alert: Its name.
        fires: Series with which it fires, as promtool writes them: `0+2x40` grows by 2 a minute, `_x20 1x20` is new
            after 20.
        quiet: Series with which it does not.
        labels: What the alert is about.
        summary: What it says.
    """

    alert: str
    fires: dict[str, str]
    quiet: dict[str, str]
    summary: str
    labels: dict[str, str] = field(default_factory=dict)


CASES = [
    Case(
        "AgentCostAboveBudget",
        {f"durable_cost_USD_total{{{MODEL}}}": "0+0.4x40"},
        {f"durable_cost_USD_total{{{MODEL}}}": "0+0.3x40"},
        "Agents in default spent 12.00 USD in the last hour.",
        {"temporal_namespace": "default"},
    ),
    Case(
        "AgentRetryWaste",
        {f"durable_cost_USD_total{{{MODEL}}}": "0+0.1x40", f"durable_failed_cost_USD_total{{{MODEL}}}": "0+0.03x40"},
        {f"durable_cost_USD_total{{{MODEL}}}": "0+0.1x40", f"durable_failed_cost_USD_total{{{MODEL}}}": "0+0.01x40"},
        "30% of what Research costs is spent in failed attempts.",
        {"temporal_namespace": "default", "temporal_workflow_type": "Research"},
    ),
    Case(
        "AgentCostUnknown",
        {f"durable_unknown_cost_calls_total{{{MODEL}}}": "_x10 2x30"},
        {f"durable_unknown_cost_calls_total{{{MODEL}}}": "0x40"},
        "2 calls of gpt-4o have no price: the cost is at least what is shown.",
        {"temporal_namespace": "default", "gen_ai_request_model": "gpt-4o"},
    ),
    Case(
        "AgentAttemptsFail",
        {
            f'durable_attempts_total{{{STEP}, durable_outcome="failed"}}': "0+2x40",
            f'durable_attempts_total{{{STEP}, durable_outcome="completed"}}': "0+2x40",
        },
        {
            f'durable_attempts_total{{{STEP}, durable_outcome="failed"}}': "0+1x40",
            f'durable_attempts_total{{{STEP}, durable_outcome="completed"}}': "0+9x40",
        },
        "50% of the attempts of call_llm fail.",
        {"temporal_namespace": "default", "temporal_activity_type": "call_llm"},
    ),
    Case(
        "AgentRunsFail",
        {
            f'durable_run_duration_seconds_count{{{WORKFLOW}, temporal_run_status="failed"}}': "_x20 1x20",
            f'durable_run_duration_seconds_count{{{WORKFLOW}, temporal_run_status="completed"}}': "_x20 3x20",
        },
        {f'durable_run_duration_seconds_count{{{WORKFLOW}, temporal_run_status="completed"}}': "0+3x40"},
        "25% of the runs of Research fail.",
        {"temporal_namespace": "default", "temporal_workflow_type": "Research"},
    ),
    Case(
        "AgentWorkerLost",
        {f"durable_lost_attempts_total{{{STEP}}}": "_x20 2x20"},
        {f"durable_lost_attempts_total{{{STEP}}}": "2x40"},
        "2 attempts of call_llm died with their worker.",
        {"temporal_namespace": "default", "temporal_activity_type": "call_llm"},
    ),
    Case(
        "AgentRunsChangeWorkers",
        {f'durable_recoveries_total{{{WORKFLOW}, durable_recovery_cause="worker_change"}}': "0+2x40"},
        {f'durable_recoveries_total{{{WORKFLOW}, durable_recovery_cause="evicted"}}': "0+9x40"},
        "30 runs of Research had to go on with another worker.",
        {"temporal_namespace": "default", "temporal_workflow_type": "Research"},
    ),
    Case(
        "AgentAttemptsWait",
        {
            f'durable_attempt_queue_time_seconds_bucket{{{QUEUE}, le="{bound}"}}': values
            for bound, values in (("40", "0x40"), ("80", "0+10x40"), ("+Inf", "0+10x40"))
        },
        {
            f'durable_attempt_queue_time_seconds_bucket{{{QUEUE}, le="{bound}"}}': "0+10x40"
            for bound in ("10", "80", "+Inf")
        },
        "Attempts wait 1m 18s for a worker of research.",
        {"temporal_namespace": "default", "temporal_task_queue": "research"},
    ),
    Case(
        "TraceSpansDropped",
        {'durable_spans_dropped_total{job="research", durable_drop_reason="queue_full"}': "0x20 3x20"},
        {'durable_spans_dropped_total{job="research", durable_drop_reason="queue_full"}': "3x40"},
        "research lost 3 spans: queue_full.",
        {"job": "research", "durable_drop_reason": "queue_full"},
    ),
    Case(
        "TraceSpoolFills",
        {'durable_spool_size_bytes{job="research"}': "900x40", 'durable_spool_limit_bytes{job="research"}': "1000x40"},
        {'durable_spool_size_bytes{job="research"}': "700x40", 'durable_spool_limit_bytes{job="research"}': "1000x40"},
        "The spool of research is 90% full.",
        {"job": "research"},
    ),
    Case(
        "TraceExportFails",
        {'otelcol_exporter_send_failed_spans{exporter="otlp_http/phoenix"}': "_x20 5x20"},
        {'otelcol_exporter_send_failed_spans{exporter="otlp_http/phoenix"}': "5x40"},
        "The Collector's exporter otlp_http/phoenix gave 5 spans up.",
        {"exporter": "otlp_http/phoenix"},
    ),
    Case(
        "TraceQueueFills",
        {
            'otelcol_exporter_queue_size{exporter="otlp_http/phoenix"}': "190x40",
            'otelcol_exporter_queue_capacity{exporter="otlp_http/phoenix"}': "200x40",
        },
        {
            'otelcol_exporter_queue_size{exporter="otlp_http/phoenix"}': "10x40",
            'otelcol_exporter_queue_capacity{exporter="otlp_http/phoenix"}': "200x40",
        },
        "The Collector's queue for otlp_http/phoenix is 95% full.",
        {"exporter": "otlp_http/phoenix"},
    ),
    Case(
        "TraceCollectorDown",
        {'up{job="collector"}': "1x20 0x20"},
        {'up{job="collector"}': "1x40"},
        "Prometheus does not reach the Collector's collector.",
        {"job": "collector"},
    ),
    Case(
        "TraceNoMetrics",
        {'durable_spans_dropped_total{job="research"}': "0x10"},
        {'durable_spans_dropped_total{job="research"}': "0x40"},
        "No worker reports metrics.",
    ),
]


def promtool(*arguments: str | Path) -> tuple[int, str]:
    done = subprocess.run([find_promtool().path, *arguments], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def test_promtool_accepts_the_rules() -> None:
    status, said = promtool("check", "rules", RULES)
    assert (status, "SUCCESS" in said) == (0, True), said


def test_promtool_accepts_the_configuration() -> None:
    status, said = promtool("check", "config", project_file("dashboards/prometheus.yml"))
    assert (status, "SUCCESS" in said) == (0, True), said


def test_each_alert_has_a_case() -> None:
    assert sorted(case.alert for case in CASES) == sorted(ALERTS)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.alert)
def test_it_fires_and_is_quiet(case: Case, tmp_path: Path) -> None:
    rule = ALERTS[case.alert]
    annotations = {"summary": case.summary, "description": rule["annotations"]["description"]}
    fired = {"exp_labels": case.labels | rule["labels"], "exp_annotations": annotations}
    tests = [
        {
            "interval": "1m",
            "input_series": [{"series": series, "values": values} for series, values in given.items()],
            "alert_rule_test": [{"eval_time": "30m", "alertname": case.alert, "exp_alerts": expected}],
        }
        for given, expected in ((case.fires, [fired]), (case.quiet, []))
    ]
    file = tmp_path / "alerts.yml"
    configured = {
        "rule_files": [str(RULES)],
        "evaluation_interval": "1m",
        # Else promtool takes the groups in a random order, and an alert may see its recorded sum of a minute ago.
        "group_eval_order": [group["name"] for group in GROUPS],
        "tests": tests,
    }
    file.write_text(yaml.safe_dump(configured))
    status, said = promtool("test", "rules", file)
    assert status == 0, said
