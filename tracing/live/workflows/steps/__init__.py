"""What does a run ask for, and what becomes of it? One module for each kind of step, as its worker sees it."""
