"""The figures of texts as rows: what is counted, how much, where it stands; and series of them over posts.

Pure functions read a text (`reading`); `derive` keeps the tables `figures` and `series`, which can be made
again at any time from `versions`; `series` asks them.
"""

RULES = 7  # release of the rules: raise it with every change that reads a figure otherwise
