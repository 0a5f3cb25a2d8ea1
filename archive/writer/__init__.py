"""The archive process of a crawl: it writes evidence and database, and answers what the crawl asks."""

import gc

gc.set_threshold(100_000)  # as in `crawler`
