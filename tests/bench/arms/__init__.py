"""What others do, as small programs: each runs in an environment of its own and knows nothing of this
project."""
