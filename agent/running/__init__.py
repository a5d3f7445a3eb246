"""What is the same for every agent's worker: connecting, tracing, probes, and a stop that loses no work."""
