"""Words of quotes that hold stock."""

ENDS = {"order": "ordered", "time": "expired", "withdrawal": "withdrawn", "loss": "lost"}
"""What may end a hold (the order that names the quote, its minutes, the merchant, stock that is gone), and how the
quote then stands."""
