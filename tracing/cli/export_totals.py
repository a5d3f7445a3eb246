"""What do the records of an export add up to?"""

from __future__ import annotations

from dataclasses import dataclass

from rich.filesize import decimal
from rich.table import Table

from tracing.export.records import Record


@dataclass
class Totals:
    """Sums over the records of an export."""

    runs: int = 0
    kept: int = 0
    open: int = 0
    spans: int = 0
    files: int = 0
    size: int = 0
    refused: int = 0
    duplicates: int = 0
    defects: int = 0
    undecoded: int = 0
    sent: int = 0
    known: int = 0
    sampled_out: int = 0

    def add(self, record: Record) -> None:
        """Count a record."""
        self.runs += record.state == "exported"
        self.refused += record.state == "refused"
        self.duplicates += record.state == "duplicate"
        self.open += record.open
        self.spans += record.spans
        self.files += len(record.files)
        self.size += sum(file.size for file in record.files)
        self.defects += len(record.defects)
        self.undecoded += record.undecoded
        if record.sent is not None:
            self.sent += record.sent.sent
            self.known += record.sent.known
            self.sampled_out += record.sent.sampled_out

    def table(self, seconds: float) -> Table:
        """The sums, for people."""
        sums = Table.grid(padding=(0, 1))
        sums.add_column(justify="right")
        sums.add_column()
        for count, one, many, style in (
            (self.runs, "run exported", "runs exported", "bold"),
            (self.kept, "source was done before, and is unchanged", "sources were done before, and are unchanged", ""),
            (self.open, "run is still open", "runs are still open", ""),
            (self.spans, "span", "spans", ""),
            (self.files, f"file, {decimal(self.size)}", f"files, {decimal(self.size)}", ""),
            (self.duplicates, "duplicate of another source", "duplicates of other sources", ""),
            (self.refused, "refused", "refused", "red"),
            (self.defects, "defect", "defects", "yellow"),
        ):
            if count or many in {"runs exported", "spans"}:
                sums.add_row(f"{count:,}", one if count == 1 else many, style=style)
        rate = f", {(self.runs + self.refused + self.duplicates) / seconds:,.1f} runs/s" if seconds else ""
        sums.add_row(f"{seconds:,.1f}", f"seconds{rate}", style="dim")
        return sums
