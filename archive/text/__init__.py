"""Normalise and fold text, undo marks inside words, find stems."""
