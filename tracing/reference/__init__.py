"""The reference page, docs/reference.md: every span, attribute and metric. ``make docs`` writes it."""
