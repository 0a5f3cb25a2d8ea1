"""Write versions, changes and captures as files for others."""
