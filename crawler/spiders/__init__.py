"""The two spiders: the site, and cited pages of other sites."""
