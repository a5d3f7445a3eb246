"""Local stand-ins for the services that the agents call: a model server and a search server.

Both speak the real service's wire format on the loopback interface, answer the same request always the same way,
count every request they receive, and fail or wait where a test tells them to.
"""
