"""Watch a crawl: counts, verdict, progress."""
