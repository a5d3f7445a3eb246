"""Benchmarks: ratios measured within one run, for machines differ. `python -m benchmarks` writes RESULTS.md."""
