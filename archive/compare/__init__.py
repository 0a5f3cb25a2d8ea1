"""Describe what changed between two texts."""
