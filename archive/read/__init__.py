"""Query an archive without writing: the Python API, search, feed, citations."""
