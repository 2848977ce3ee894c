"""How a quote that held stock stands. Pure."""

from __future__ import annotations

from app.quotes.vocabulary import ENDS


def standing(ended_by: str | None, holds: bool, order_id: str | None) -> str:
    """In a word, from what ended its hold; an order may name it after that."""
    if order_id is not None:
        return "ordered"
    if ended_by is None:
        return "held" if holds else "expired"
    return ENDS[ended_by]
