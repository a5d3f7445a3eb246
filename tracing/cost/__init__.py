"""What a run, its retries and its replay cost."""
