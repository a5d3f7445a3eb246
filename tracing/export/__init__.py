"""Bulk export: many histories → trace files, on all cores, in constant memory, resumed after any interruption."""

from tracing.export.engine import Export
from tracing.export.items import FileItem, Item, RunItem, file_items
from tracing.export.records import Record
from tracing.export.settings import ExportSettings

__all__ = ["Export", "ExportSettings", "FileItem", "Item", "Record", "RunItem", "file_items"]
