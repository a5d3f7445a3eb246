"""The research agent: it plans searches, runs them, has a model synthesise what they find, and writes a report."""
