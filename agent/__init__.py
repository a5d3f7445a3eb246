"""The agents that the toolkit traces, and the local servers that let them run without a key or a network."""
