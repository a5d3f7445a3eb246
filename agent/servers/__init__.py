"""Real servers without containers: a Temporal dev server, an OpenTelemetry Collector and Phoenix.

``python -m agent.servers`` finds or gets their programs; ``temporal.start_temporal``, ``collector.start_collector`` and
``phoenix.start_phoenix`` run them.
"""
