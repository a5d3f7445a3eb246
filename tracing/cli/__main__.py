"""``python -m tracing.cli``: the command line, where the command `durable-trace` is not on PATH."""

from tracing.cli import main

main()
