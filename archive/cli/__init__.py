"""The subcommands of `sohr-archive`, one module each; `archive.cli.main` puts them together."""
