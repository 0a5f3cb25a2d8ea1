"""The subcommands of `sohr-archive`, one module each; `main` finds them by name."""
