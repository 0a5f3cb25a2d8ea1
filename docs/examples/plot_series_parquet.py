"""Plot the longest series of an export, with pandas and matplotlib.

sohr-archive export --what series --versions latest -o series.parquet
python docs/examples/plot_series_parquet.py series.parquet series.png
"""

import sys

import matplotlib as mpl
import pandas as pd

mpl.use("Agg")  # no window
source, target = sys.argv[1:]
rows = pd.read_parquet(source)
longest = rows["series"].value_counts().idxmax()
points = rows[rows["series"] == longest].set_index("at")
axes = points["value"].plot(drawstyle="steps-post", marker="o", title=points["sentence"].iloc[-1])
axes.set_xlabel("; ".join(points["citation"].iloc[[0, -1]]))
axes.figure.savefig(target)
print(f"{len(points)} points from {points.index[0]:%Y-%m-%d} to {points.index[-1]:%Y-%m-%d} in {target}")
