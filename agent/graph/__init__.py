"""A LangGraph agent, run twice: its whole graph as one activity, and each of its nodes as an activity."""
