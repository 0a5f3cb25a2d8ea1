"""Turn captures into outcomes, versions and changes. Nothing else writes them."""
