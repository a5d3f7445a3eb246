"""The research agent on DBOS: the same steps as `agent.research`, and no server but its database."""
