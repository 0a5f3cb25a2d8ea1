"""Public web archives (Common Crawl, the Wayback Machine): their indexes, and captures from their answers."""
