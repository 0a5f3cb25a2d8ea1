"""The subcommands of `sohr-archive`, one module each; `main` finds them by name."""

import gc

gc.set_threshold(100_000)  # default 700; loading modules leaves no garbage to look for
