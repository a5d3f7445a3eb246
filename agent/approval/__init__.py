"""The approval gate: an agent researches, then waits for a person's word before it writes its report."""
