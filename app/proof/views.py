"""The proof file as a PDF, from the order's page."""

from __future__ import annotations

from flask import Blueprint, Response

from app.proof import paper, service
from app.shapes import identifier
from app.web import page
from tenants.scope import current

blueprint = Blueprint("proof_pages", __name__)


@blueprint.get("/orders/<order_id>/proof.pdf", endpoint="pdf")
@page("orders:read")
def pdf(order_id: str) -> Response:
    """The proof file of one order, to keep or print."""
    proof = service.proof(current(), identifier(order_id))
    answer = Response(paper.printed(proof), mimetype="application/pdf")
    answer.headers["Content-Disposition"] = f'inline; filename="proof-{proof["order"]["number"]}.pdf"'
    answer.headers["Cache-Control"] = "no-store"
    return answer
