"""The words of nodes and rate cards. Closed lists, shared by tables, schemas and pages."""

KINDS = ("warehouse", "store", "vendor", "workshop", "virtual")
ZONES_BY = ("distance", "zip3")
DIM_UNITS = ("in3_per_lb", "cm3_per_kg")
