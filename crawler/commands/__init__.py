"""`scrapy crawl`, with an exit status that says what happened."""
