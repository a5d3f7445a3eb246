"""How does tracing itself do: what is lost, what waits, what does the Collector pass on?"""

from __future__ import annotations

from grafana_foundation_sdk.models.dashboard import Dashboard

from dashboards.expressions import INTERVAL, grown, label, metric, of_all, quantile
from dashboards.panels import BYTES, COUNT, SHARE, Query, bars, dashboard, lines, number
from tracing import conventions as c


def health() -> Dashboard:
    """Of all workers and the Collector: the variables choose nothing here but ledgers."""
    dropped = of_all(c.SPANS_DROPPED)
    numbers = [
        number(
            "Processes that report",
            "Workers and clients whose metrics arrive.",
            f"count(count by (job, instance) ({dropped}))",
            COUNT,
        ),
        number(
            "Spans lost",
            "Spans that were not exported. `durable-trace export --repair` puts them back from the histories.",
            grown(dropped),
            COUNT,
            bad_from=1,
        ),
        number("Spans that wait", "In the spools of all workers.", f"sum({of_all(c.SPOOL_WAITING)})", COUNT),
        number(
            "Fullest spool",
            "Of its limit, DURABLE_TRACE_SPOOL_MAX_BYTES.",
            f"max({of_all(c.SPOOL_SIZE)} / {of_all(c.SPOOL_LIMIT)})",
            SHARE,
            bad_from=0.8,
        ),
        number(
            "Fullest queue of the Collector",
            "Of its size.",
            "max(otelcol_exporter_queue_size / otelcol_exporter_queue_capacity)",
            SHARE,
            bad_from=0.8,
        ),
        number(
            "Calls without a price",
            "Their cost is unknown, not 0.",
            grown(of_all(c.UNKNOWN_COST)),
            COUNT,
            bad_from=1,
        ),
    ]
    workers = [
        bars(
            "Spans lost by reason",
            "See docs/delivery.md for what to do about each.",
            [Query(grown(dropped, (c.METRIC_DROP_REASON,), INTERVAL), f"{{{{{label(c.METRIC_DROP_REASON)}}}}}")],
            COUNT,
        ),
        lines(
            "Spool",
            "All files in the spool's folder, as each worker sees them, and the limit.",
            [
                Query(f"max by (job, instance) ({of_all(c.SPOOL_SIZE)})", "{{job}} {{instance}}"),
                Query(f"max by (job) ({of_all(c.SPOOL_LIMIT)})", "{{job}} limit"),
            ],
            BYTES,
        ),
        lines(
            "Ledgers",
            "What attempts add to histories. An attempt's ledger is cut at DURABLE_TRACE_MAX_LEDGER_BYTES.",
            [
                Query(quantile(0.95, c.LEDGER_SIZE, (c.ACTIVITY_TYPE,), INTERVAL), "{{temporal_activity_type}} 95 %"),
            ],
            BYTES,
        ),
    ]
    collector = [
        bars(
            "Spans received",
            "By the Collector; refused ones are sent again by their workers.",
            [
                Query(_counted("otelcol_receiver_accepted_spans", "receiver"), "{{receiver}} accepted"),
                Query(_counted("otelcol_receiver_refused_spans", "receiver"), "{{receiver}} refused"),
            ],
            COUNT,
        ),
        bars(
            "Spans passed on",
            "By exporter. `failed` are lost to that backend, until they are repaired.",
            [
                Query(_counted("otelcol_exporter_sent_spans", "exporter"), "{{exporter}} sent"),
                Query(_counted("otelcol_exporter_send_failed_spans", "exporter"), "{{exporter}} failed"),
            ],
            COUNT,
        ),
        lines(
            "Queues",
            "Spans that wait for a backend, on the Collector's disk.",
            [
                Query("max by (exporter) (otelcol_exporter_queue_size)", "{{exporter}}"),
                Query("max by (exporter) (otelcol_exporter_queue_capacity)", "{{exporter}} capacity"),
            ],
            COUNT,
        ),
        bars(
            "Metrics received",
            "Points of the workers' own metrics. None: OTEL_METRICS_EXPORTER=otlp is not set.",
            [Query(_counted("otelcol_receiver_accepted_metric_points", "receiver"), "{{receiver}}")],
            COUNT,
        ),
        lines(
            "Memory",
            "Of the Collector. COLLECTOR_MEMORY_LIMIT_MIB limits it.",
            [Query("max(otelcol_process_memory_rss)", "resident")],
            BYTES,
        ),
        lines("Scraping", "1 while Prometheus reaches the Collector.", [Query("min by (job) (up)", "{{job}}")], COUNT),
    ]
    return dashboard(
        "health",
        "Agents: health of tracing",
        f"Losses, spools and the Collector. Every process with the plugin has {metric(c.SPANS_DROPPED)}, from 0 on.",
        [("In this time", numbers), ("Workers", workers), ("Collector", collector)],
    )


def _counted(name: str, by: str) -> str:
    return grown(name, (by,), INTERVAL)
