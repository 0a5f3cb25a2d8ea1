"""Capture each answer, wait between tries, obey robots.txt."""
