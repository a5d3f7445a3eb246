"""Trace files: written, read, sent, repaired."""
