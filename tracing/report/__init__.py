"""The HTML report: one file, no network."""

from tracing.report.page import render_report, write_report

__all__ = ["render_report", "write_report"]
