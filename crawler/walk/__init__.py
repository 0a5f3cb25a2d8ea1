"""Decide what to ask for: listings, channels, new and due articles."""
