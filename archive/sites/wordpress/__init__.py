"""How WordPress lists, feeds and marks up posts. Knows no particular site."""
