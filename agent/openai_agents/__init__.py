"""A team of agents made with the OpenAI Agents SDK, on Temporal: triage with a guardrail, a handoff, tools."""
