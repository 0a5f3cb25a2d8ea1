"""Files that run crawls from a timer."""
