"""Decode pages and read lines from their elements."""
