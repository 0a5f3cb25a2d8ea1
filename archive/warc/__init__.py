"""Write, read and repair WARC files, and seal them in manifests."""
