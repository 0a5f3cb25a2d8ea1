"""Draw a series of figures as SVG, with the Python API alone. Each point has its sentence and its citation.

    python docs/examples/plot_series_api.py demo-data 5f0c1d2e3a4b5968 series.svg

`sohr-archive series` lists the series.
"""

import sys
from datetime import datetime
from html import escape

from archive import Archive

folder, series, target = sys.argv[1:]
with Archive.open(folder) as archive:
    points = archive.points(series)
if not points:
    sys.exit(f"there is no series {series}: 'sohr-archive series' lists them")

times = [datetime.fromisoformat(point.at).timestamp() for point in points]
width, height, top = 720, 240, max(point.value for point in points) or 1
length = (times[-1] - times[0]) or 1
places = [
    (40 + (at - times[0]) / length * (width - 80), height - 40 - point.value / top * (height - 80))
    for at, point in zip(times, points, strict=True)
]
path = "M{:.1f} {:.1f}".format(*places[0]) + "".join(f"H{x:.1f}V{y:.1f}" for x, y in places[1:])
says = [escape(f"{point.sentence} {point.citation}") for point in points]
marks = "".join(
    f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4"><title>{said}</title></circle>'
    for (x, y), said in zip(places, says, strict=True)
)
with open(target, "w", encoding="utf-8") as file:
    file.write(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}">')
    file.write(f'<path d="{path}" fill="none" stroke="black"/>{marks}')
    file.write(f'<text x="40" y="20">{escape(points[-1].sentence)}</text></svg>\n')
print(f"{len(points)} points from {points[0].at[:10]} to {points[-1].at[:10]} in {target}")
