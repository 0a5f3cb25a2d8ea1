"""Make the database from WARC files, repair, back up and verify an archive."""
