"""Talk to the site with Scrapy, politely. What comes is handed to the archive process."""
