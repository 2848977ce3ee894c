"""The map of the United States: decodes TopoJSON, simplifies it and writes one SVG symbol.

Used once, when assets are vendored (see vendor.py). The input is us-atlas `states-albers-10m.json`, which is
already projected to 975 x 610 by the function that `geography.py` repeats for pins.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

Point = tuple[float, float]

WIDTH, HEIGHT = 975, 610
TOLERANCE = 0.7
"""Pixels: a point closer than this to the line between its neighbors is left out."""

SMALLEST_ISLAND = 12.0
"""Square pixels: rings below this are specks at the sizes we draw."""


def us_symbol(topology: dict[str, Any]) -> str:
    """An SVG file with the symbol `us`: land as one path, the borders between states as another."""
    arcs = [_simplify(arc) for arc in _decode(topology)]
    land = _land_path(topology["objects"]["nation"], arcs)
    borders = _border_path(topology["objects"]["states"], arcs)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg"><symbol id="us" viewBox="0 0 {WIDTH} {HEIGHT}">'
        f'<path d="{land}" fill="var(--map-land)"/>'
        f'<path d="{borders}" fill="none" stroke="var(--map-line)" stroke-linejoin="round"/>'
        "</symbol></svg>\n"
    )


def _decode(topology: dict[str, Any]) -> list[list[Point]]:
    """Undo quantization and delta encoding (TopoJSON specification 2.1.3 and 2.1.4)."""
    (scale_x, scale_y), (left, top) = topology["transform"]["scale"], topology["transform"]["translate"]
    decoded = []
    for arc in topology["arcs"]:
        x = y = 0
        points = []
        for delta_x, delta_y in arc:
            x, y = x + delta_x, y + delta_y
            points.append((x * scale_x + left, y * scale_y + top))
        decoded.append(points)
    return decoded


def _simplify(points: list[Point]) -> list[Point]:
    """Douglas-Peucker. Arcs, not rings, are simplified, so neighbors keep sharing their border exactly."""
    if len(points) < 3:
        return points
    first, last = points[0], points[-1]
    distances = [_distance(point, first, last) for point in points[1:-1]]
    farthest = max(range(len(distances)), key=distances.__getitem__) + 1
    if distances[farthest - 1] <= TOLERANCE:
        return [first, last]
    return _simplify(points[: farthest + 1])[:-1] + _simplify(points[farthest:])


def _distance(point: Point, first: Point, last: Point) -> float:
    run_x, run_y = last[0] - first[0], last[1] - first[1]
    length = math.hypot(run_x, run_y)
    if length == 0:
        return math.hypot(point[0] - first[0], point[1] - first[1])
    return abs(run_x * (first[1] - point[1]) - (first[0] - point[0]) * run_y) / length


def _land_path(nation: dict[str, Any], arcs: list[list[Point]]) -> str:
    paths = []
    for geometry in nation["geometries"]:
        for polygon in geometry["arcs"]:
            for ring_arcs in polygon:
                ring = _stitch(ring_arcs, arcs)
                if _area(ring) >= SMALLEST_ISLAND:
                    paths.append(_path(ring, closed=True))
    return "".join(paths)


def _stitch(indexes: list[int], arcs: list[list[Point]]) -> list[Point]:
    """Join arcs end to end; a negative index (ones' complement) runs its arc backwards."""
    ring: list[Point] = []
    for index in indexes:
        points = arcs[index] if index >= 0 else arcs[~index][::-1]
        ring.extend(points[1:] if ring else points)
    return ring


def _area(ring: list[Point]) -> float:
    pairs = zip(ring, ring[1:] + ring[:1], strict=True)
    return abs(sum(x1 * y2 - x2 * y1 for (x1, y1), (x2, y2) in pairs)) / 2


def _border_path(states: dict[str, Any], arcs: list[list[Point]]) -> str:
    """An arc used by two states is a border; one used once is coast, already drawn by the land."""
    users: dict[int, int] = {}
    for geometry in states["geometries"]:
        polygons = geometry["arcs"] if geometry["type"] == "MultiPolygon" else [geometry["arcs"]]
        used = {index if index >= 0 else ~index for polygon in polygons for ring in polygon for index in ring}
        for index in used:
            users[index] = users.get(index, 0) + 1
    return "".join(_path(arcs[index], closed=False) for index, count in sorted(users.items()) if count > 1)


def _path(points: list[Point], *, closed: bool) -> str:
    """Whole pixels, relative steps, no step of length zero."""
    whole = [(round(x), round(y)) for x, y in points]
    steps = [(x2 - x1, y2 - y1) for (x1, y1), (x2, y2) in pairwise(whole) if (x1, y1) != (x2, y2)]
    if not steps:
        return ""
    if closed:
        steps = steps[:-1]
    drawn = "".join(f" {x}" + (str(y) if y < 0 else f" {y}") for x, y in steps)
    return f"M{whole[0][0]} {whole[0][1]}l{drawn.strip()}{'z' if closed else ''}"
