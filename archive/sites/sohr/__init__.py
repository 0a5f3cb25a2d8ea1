"""Addresses, layouts and boilerplate of the Syrian Observatory for Human Rights."""
