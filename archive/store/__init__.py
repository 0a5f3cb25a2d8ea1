"""The database: its schema, the fields of a version, and its rows."""
