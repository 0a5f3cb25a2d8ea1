"""The archive process of a crawl: it writes evidence and database, and answers what the crawl asks."""
