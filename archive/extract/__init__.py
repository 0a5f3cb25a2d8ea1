"""Read a page: title, lines and claims, or why there are none."""

# Release: a change that gives any page another text is another release, announced as `reparsed`, never as an
# edit
EXTRACTOR = "1"
