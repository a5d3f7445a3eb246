"""What failures cost an agent, with durable execution and without: each is really made, on both sides, and counted."""
