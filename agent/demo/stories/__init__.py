"""One module a pattern: its ``tell(stage)`` runs the agent, injects the failure, and waits for the end."""
