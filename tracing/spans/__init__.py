"""Builds the spans of a run; one module per kind of span. Both readers call the same builders."""
