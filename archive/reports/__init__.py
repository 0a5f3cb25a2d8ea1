"""Report on an archive: status, audit, politeness, verdict of a crawl."""
