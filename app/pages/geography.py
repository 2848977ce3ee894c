"""Where a place lies on the map of the United States: the Albers projection that drew the map.

Three conic equal-area projections, for the lower 48 states, Alaska and Hawaii (Snyder, "Map Projections: A
Working Manual", USGS Professional Paper 1395, p. 98 ff.), placed as in the map's own data (us-atlas,
`albers-10m`), so pins fall on the outline exactly.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, isfinite, radians, sin, sqrt

from app.pages.outline import HEIGHT, WIDTH


@dataclass(frozen=True)
class Region:
    """One conic projection and the box (longitude and latitude, degrees) in which it is used."""

    parallels: tuple[float, float]
    meridian: float
    center: tuple[float, float]
    scale: float
    origin: tuple[float, float]
    west: float
    east: float
    south: float
    north: float

    def covers(self, longitude: float, latitude: float) -> bool:
        """Whether this region draws the place."""
        return self.west <= longitude <= self.east and self.south <= latitude <= self.north

    def project(self, longitude: float, latitude: float) -> tuple[float, float]:
        """Pixels from the map's top left corner."""
        first, second = (radians(parallel) for parallel in self.parallels)
        n = (sin(first) + sin(second)) / 2
        c = 1 + sin(first) * (2 * n - sin(first))

        def rho(angle: float) -> float:
            return sqrt(c - 2 * n * sin(angle)) / n

        theta = n * radians(longitude - self.meridian)
        theta_center = n * radians(self.center[0])
        rho_place, rho_center = rho(radians(latitude)), rho(radians(self.center[1]))
        x = self.origin[0] + self.scale * (rho_place * sin(theta) - rho_center * sin(theta_center))
        y = self.origin[1] + self.scale * (rho_place * cos(theta) - rho_center * cos(theta_center))
        return x, y


LOWER_48 = Region(
    (29.5, 45.5), -96, (-0.6, 38.7), 1300, (487.5, 305), west=-125, east=-66.5, south=24, north=49.5
)
ALASKA = Region((55, 65), -154, (-2, 58.5), 455, (88.4, 566.3), west=-180, east=-129.5, south=51, north=72)
HAWAII = Region((8, 18), -157, (-3, 19.9), 1300, (221, 580.6), west=-161, east=-154, south=18, north=23)
REGIONS = (LOWER_48, ALASKA, HAWAII)


def place(longitude: float | None, latitude: float | None) -> tuple[float, float] | None:
    """(left, top) in percent of the map, two decimals, or None for a place that is not on it."""
    pixels = project(longitude, latitude)
    if pixels is None:
        return None
    return round(100 * pixels[0] / WIDTH, 2), round(100 * pixels[1] / HEIGHT, 2)


def project(longitude: float | None, latitude: float | None) -> tuple[float, float] | None:
    """(x, y) in pixels of the 975 x 610 map, or None for a place that is not on it."""
    if longitude is None or latitude is None or not (isfinite(longitude) and isfinite(latitude)):
        return None
    for region in REGIONS:
        if region.covers(longitude, latitude):
            return region.project(longitude, latitude)
    return None
