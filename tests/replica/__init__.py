"""A loopback copy of the behaviour of the Syrian Observatory's site: invented posts, real manners.
`server.Replica` starts it for a test."""
