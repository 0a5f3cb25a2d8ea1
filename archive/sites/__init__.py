"""What belongs to a kind of site, and to one site."""
