"""How are the panels drawn, and the dashboards put together?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from grafana_foundation_sdk.builders import common as common_builders
from grafana_foundation_sdk.builders import dashboard as builders
from grafana_foundation_sdk.builders import prometheus, stat, table, timeseries
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models import common, units
from grafana_foundation_sdk.models import dashboard as models
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

from dashboards.expressions import label, metric
from tracing import conventions as c

USD, SECONDS, BYTES, SHARE, COUNT = units.Dollars, units.Seconds, units.BytesIEC, units.PercentUnit, units.Short
TAG: Final = "durable-trace"

_SOURCE: Final = common.DataSourceRef(type_val="prometheus", uid="${datasource}")
_SMALLEST_INTERVAL: Final = "1m"
"""Bars count what happened between two points: these lie further apart than two scrapes (15 s)."""


@dataclass(frozen=True)
class Query:
    """A query of a panel.

    Attributes:
        expr: PromQL.
        legend: The series' name: text with ``{{label}}``; as a column of a table, its heading.
    """

    expr: str
    legend: str = ""


Panel = Builder[models.Panel]


def number(
    title: str, description: str, expr: str, unit: str, *, width: int = 4, bad_from: float | None = None
) -> Panel:
    """One number for the whole time range; red from a value on, where one is given."""
    steps = [models.Threshold(value=None, color="green")]
    if bad_from is not None:
        steps.append(models.Threshold(value=bad_from, color="red"))
    return (
        stat.Panel()
        .title(title)
        .description(description)
        .datasource(_SOURCE)
        .with_target(_target(0, Query(expr, title)).instant())
        .unit(unit)
        .height(4)
        .span(width)
        .graph_mode(common.BigValueGraphMode.NONE)
        .thresholds(builders.ThresholdsConfig().mode(models.ThresholdsMode.ABSOLUTE).steps(steps))
    )


def bars(title: str, description: str, queries: Sequence[Query], unit: str, *, width: int = 8) -> Panel:
    """What was counted between two points, stacked: together, the bars are the whole."""
    panel = (
        _over_time(title, description, queries, unit, width)
        .interval(_SMALLEST_INTERVAL)
        .draw_style(common.GraphDrawStyle.BARS)
        .fill_opacity(80)
        .line_width(0)
        .stacking(common_builders.StackingConfig().mode(common.StackingMode.NORMAL))
    )
    return panel.min(0)


def lines(
    title: str, description: str, queries: Sequence[Query], unit: str, *, width: int = 8, bad_from: float | None = None
) -> Panel:
    """Values over time; what lies above a value is red, where one is given."""
    panel = _over_time(title, description, queries, unit, width).interval(_SMALLEST_INTERVAL).min(0)
    panel = panel.show_points(common.VisibilityMode.AUTO).span_nulls(span_nulls=True)
    if bad_from is not None:
        steps = [models.Threshold(value=None, color="green"), models.Threshold(value=bad_from, color="red")]
        panel = panel.thresholds(builders.ThresholdsConfig().mode(models.ThresholdsMode.ABSOLUTE).steps(steps))
        panel = panel.thresholds_style(
            common_builders.GraphThresholdsStyleConfig().mode(common.GraphThresholdsStyleMode.LINE)
        )
    return panel


def columns(
    title: str, description: str, queries: Sequence[Query], units_of: Sequence[str], *, width: int = 24
) -> Panel:
    """A table with a column for each query beside those of their labels, for the whole time range."""
    panel = table.Panel().title(title).description(description).datasource(_SOURCE).height(9).span(width)
    panel = panel.align(common.FieldTextAlignment.AUTO).filterable(filterable=True)
    headings = {}
    for index, (query, unit) in enumerate(zip(queries, units_of, strict=True)):
        target = _target(index, query).instant().format(PromQueryFormat.TABLE)
        panel = panel.with_target(target)
        headings[f"Value #{_letter(index)}"] = query.legend
        panel = panel.override_by_name(query.legend, [models.DynamicConfigValue(id_val="unit", value=unit)])
    panel = panel.with_transformation(models.DataTransformerConfig(id_val="merge", options={}))
    renamed = {"excludeByName": {"Time": True}, "renameByName": headings}
    return panel.with_transformation(models.DataTransformerConfig(id_val="organize", options=renamed))


def dashboard(uid: str, title: str, description: str, rows: Sequence[tuple[str, Sequence[Panel]]]) -> models.Dashboard:
    """A dashboard of rows of panels, with the variables that all of them have, and links between them."""
    built = (
        builders.Dashboard(title)
        .uid(f"{TAG}-{uid}")
        .description(description)
        .tags([TAG])
        .time("now-6h", "now")
        .refresh("1m")
        .timezone("browser")
        .tooltip(models.DashboardCursorSync.CROSSHAIR)
        .editable()
        .link(
            builders.DashboardLink("durable-trace")
            .type(models.DashboardLinkType.DASHBOARDS)
            .tags([TAG])
            .include_vars(include_vars=True)
            .keep_time(keep_time=True)
        )
        .with_variable(builders.DatasourceVariable("datasource").label("Data source").type("prometheus"))
    )
    for variable in (
        _variable("namespace", "Namespace", metric(c.ATTEMPTS_MADE), c.NAMESPACE),
        _variable(
            "workflow_type",
            "Workflow",
            f'{metric(c.ATTEMPTS_MADE)}{{{label(c.NAMESPACE)}=~"$namespace"}}',
            c.WORKFLOW_TYPE,
        ),
        _variable("model", "Model", f'{metric(c.CALLS_MADE)}{{{label(c.NAMESPACE)}=~"$namespace"}}', c.REQUEST_MODEL),
    ):
        built = built.with_variable(variable)
    for heading, panels in rows:
        built = built.with_row(builders.Row(heading))
        for panel in panels:
            built = built.with_panel(panel)
    finished = built.build()
    for number_of_panel, panel_model in enumerate(finished.panels or [], 1):
        panel_model.id_val = number_of_panel
    return finished


def _over_time(title: str, description: str, queries: Sequence[Query], unit: str, width: int) -> timeseries.Panel:
    panel = timeseries.Panel().title(title).description(description).datasource(_SOURCE).unit(unit)
    panel = panel.height(8).span(width)
    panel = panel.legend(
        common_builders.VizLegendOptions()
        .display_mode(common.LegendDisplayMode.LIST)
        .placement(common.LegendPlacement.BOTTOM)
        .show_legend(show_legend=True)
    ).tooltip(common_builders.VizTooltipOptions().mode(common.TooltipDisplayMode.MULTI))
    for index, query in enumerate(queries):
        panel = panel.with_target(_target(index, query).range())
    return panel


def _target(index: int, query: Query) -> prometheus.Dataquery:
    return (
        prometheus.Dataquery().datasource(_SOURCE).ref_id(_letter(index)).expr(query.expr).legend_format(query.legend)
    )


def _letter(index: int) -> str:
    return chr(ord("A") + index)


def _variable(name: str, title: str, selector: str, key: str) -> builders.QueryVariable:
    return (
        builders.QueryVariable(name)
        .label(title)
        .datasource(_SOURCE)
        .query(f"label_values({selector}, {label(key)})")
        .refresh(models.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(models.VariableSort.ALPHABETICAL_ASC)
        .multi(multi=True)
        .include_all(include_all=True)
        .all_value(".*")
        .current(models.VariableOption(selected=True, text="All", value="$__all"))
    )
