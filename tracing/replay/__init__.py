"""Runs workflow code against a recorded history."""
