"""Read a page: title, lines and claims, or why there are none."""
