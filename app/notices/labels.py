"""The fixed words around a message: labels of its tables and buttons, by language. Pure."""

from __future__ import annotations

ENGLISH = {
    "order": "Order",
    "ships_by": "Ships by",
    "ships_to": "Ships to",
    "total": "Total",
    "see_order": "See your order",
    "follow": "Follow the parcel",
    "carrier": "Carrier",
    "tracking_number": "Tracking number",
    "still_to_come": "Still to come",
    "first_promised": "First promised to ship by",
    "promised": "Promised to ship by",
    "new_date": "New date to ship by",
    "wait_for": "Wait for",
    "cancel": "Cancel",
    "yes_wait": "Yes, I will wait",
    "yes_cancel": "Cancel and refund me",
    "read_more": "Read more and answer",
    "to_pay": "To pay",
    "keep_until": "We keep your order until",
    "pay": "Pay",
    "reply_or_write": "reply to this email or write to",
    "refund": "We refund {amount} {way}, no later than {by}. We write again when it is done.",
    "released": "{amount} was held on your card and not charged. We have let it go, and nothing has been done that"
    " will charge it.",
    "not_charged": "You have not been charged for this, and nothing has been done that will charge you.",
    "slip": "Your answer",
    "slip_words": "Tick one, sign, and send this slip back in the prepaid envelope. It counts when we receive it.",
    "slip_wait": "I agree to the new date.",
    "slip_wait_open": "I agree to wait without a date.",
    "slip_cancel": "I cancel. Refund what I paid.",
    "slip_sign": "Signature and date",
    "online": "Or answer here, free of charge:",
}
SPANISH = {
    "order": "Pedido",
    "ships_by": "Se envía a más tardar el",
    "ships_to": "Se envía a",
    "total": "Total",
    "see_order": "Ver su pedido",
    "follow": "Seguir el paquete",
    "carrier": "Transportista",
    "tracking_number": "Número de seguimiento",
    "still_to_come": "Falta por enviar",
    "first_promised": "Primera fecha prometida de envío",
    "promised": "Fecha prometida de envío",
    "new_date": "Nueva fecha de envío",
    "wait_for": "Esperar",
    "cancel": "Cancelar",
    "yes_wait": "Sí, espero",
    "yes_cancel": "Cancelar y reembolsarme",
    "read_more": "Leer más y responder",
    "to_pay": "Por pagar",
    "keep_until": "Guardamos su pedido hasta el",
    "pay": "Pagar",
    "reply_or_write": "responda a este correo o escriba a",
    "refund": "Le reembolsamos {amount} {way}, a más tardar el {by}. Le escribimos de nuevo cuando esté hecho.",
    "released": "{amount} estaban retenidos en su tarjeta y no se cobraron. Los hemos liberado y no se ha hecho nada"
    " que los cobre.",
    "not_charged": "No se le ha cobrado nada por esto y no se ha hecho nada que se lo cobre.",
    "slip": "Su respuesta",
    "slip_words": "Marque una opción, firme y devuelva este talón en el sobre con franqueo pagado. Vale cuando lo"
    " recibimos.",
    "slip_wait": "Acepto la nueva fecha.",
    "slip_wait_open": "Acepto esperar sin una fecha.",
    "slip_cancel": "Cancelo. Reembólsenme lo que pagué.",
    "slip_sign": "Firma y fecha",
    "online": "O responda aquí, gratis:",
    # What an order's own rows say in English.
    "Discount": "Descuento",
    "Shipping and charges": "Envío y cargos",
    "Shipping": "Envío",
    "Tax": "Impuestos",
    "in cash or by check": "en efectivo o con cheque",
    "by check": "con cheque",
    "the way you paid": "por el mismo medio con que pagó",
    "to your account": "a su cuenta",
    "to your card": "a su tarjeta",
    "our delivery service": "nuestro servicio de entrega",
    "you": "usted",
}
LABELS = {"en": ENGLISH, "es": SPANISH}


def label(name: str, language: str) -> str:
    """The words of that name."""
    return LABELS[language][name]


def said(words: str, language: str) -> str:
    """What an order's rows say, in the buyer's language where it is one of their fixed phrases."""
    return LABELS[language].get(words, words)
