"""Talk to the site with Scrapy, politely. What comes is handed to the archive process."""

import gc

gc.set_threshold(100_000)  # default 700; loading modules leaves no garbage to look for
