"""A stream of past orders routed again, against a stock that depletes: no database, the kernel of live routing."""
