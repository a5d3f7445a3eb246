"""OpenTelemetry tracing for AI agents on durable execution: live, and from their histories."""
