"""The deep-research agent: a plan of sub-questions, a child workflow for each, tools that the model calls, a report."""
