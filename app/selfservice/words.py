"""What the buyer's page says, in the buyer's language. English is written where it is said; here is its Spanish, for
buyers in the United States, who are "usted". The sentences the law needs come with the notice itself. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from app.calendar import local_date
from app.notices import dates


@dataclass(frozen=True, slots=True)
class Words:
    """Says English sentences and days in a language (`en`, `es`), days as of `zone`."""

    language: str
    zone: str
    today: date

    def __call__(self, english: str, *values: Any) -> str:
        """The sentence, with values in place of its {}. One that has no Spanish is said in English."""
        sentence = SPANISH.get(english, english) if self.language == "es" else english
        return sentence.format(*values) if values else sentence

    def refusal(self, english: str, code: str) -> str:
        """Why something could not be done; one that names goods and days is said without them in Spanish."""
        if self.language == "es" and english not in SPANISH and code in REFUSED:
            return REFUSED[code]
        return self(english)

    def day(self, given: date | datetime) -> str:
        """ "Friday, December 4"."""
        on = local_date(given, self.zone) if isinstance(given, datetime) else given
        return dates.day(on, today=self.today, language=self.language)

    def moment(self, instant: datetime) -> str:
        """ "Friday, December 4, 4:40 PM EST"."""
        return dates.moment(instant, self.zone, today=self.today, language=self.language)


SPANISH = {
    # the order
    "Your order {}": "Su pedido {}",
    "Order {}": "Pedido {}",
    "The whole order": "El pedido completo",
    "Placed {}": "Hecho el {}",
    "Placed {}, going to {} in {}": "Hecho el {}, va a {} en {}",
    "you": "usted",
    "Your order is canceled": "Su pedido está cancelado",
    "Your order needs a payment": "Su pedido necesita un pago",
    "Your order is on its way": "Su pedido está en camino",
    "Part of your order is on its way": "Una parte de su pedido está en camino",
    "We are getting your order ready": "Estamos preparando su pedido",
    "Items": "Artículos",
    "Canceled": "Cancelado",
    "Sent by email": "Enviado por correo electrónico",
    "Shipped": "Enviado",
    "Canceled, as you asked or because its time was over; we confirm it in writing": (
        "Cancelado, porque usted lo pidió o porque terminó su plazo; se lo confirmamos por escrito"
    ),
    "We asked our warehouse to stop it and tell you as soon as it answers": (
        "Pedimos al almacén que lo detenga y le avisamos en cuanto responda"
    ),
    "Delayed: we asked you whether to wait or to cancel": (
        "Con retraso: le preguntamos si desea esperar o cancelar"
    ),
    "Being canceled, as you asked": "Se está cancelando, como usted pidió",
    "{} of {} shipped. ": "{} de {} enviados. ",
    "On order with us": "Pedido a nuestro proveedor",
    "On order with us, ships by {}": "Pedido a nuestro proveedor, se envía a más tardar el {}",
    "Being prepared": "En preparación",
    "Being prepared, ships by {}": "En preparación, se envía a más tardar el {}",
    "Sent so far": "Enviado hasta ahora",
    "Parcel of {}": "Paquete del {}",
    "by email": "por correo electrónico",
    "handed over at the counter": "entregado en el mostrador",
    "Track {}": "Seguir {}",
    "Tracking number {}": "Número de seguimiento {}",
    "Order total": "Total del pedido",
    "Taken, less refunds": "Cobrado, menos reembolsos",
    "Taken so far": "Cobrado hasta ahora",
    "Questions? Write to": "¿Preguntas? Escriba a",
    "Questions? Call": "¿Preguntas? Llame al",
    "or call": "o llame al",
    "This could not be done.": "Esto no se pudo hacer.",
    # a delay, and the answer
    "It is up to you what happens now.": "Usted decide qué pasa ahora.",
    "Promised to ship by": "Fecha prometida de envío",
    "New date to ship by": "Nueva fecha de envío",
    "Wait": "Esperar",
    "Yes, I will wait": "Sí, espero",
    "Wait, and longer if need be": "Esperar, y más tiempo si hace falta",
    "Yes, even if it takes longer": "Sí, aunque tarde más",
    "Cancel": "Cancelar",
    "Cancel and refund me": "Cancelar y reembolsarme",
    "If you do nothing:": "Si no hace nada:",
    "Recorded {}.": "Registrado: {}.",
    "You agreed to wait for {}. You may still cancel until it ships.": (
        "Usted aceptó esperar: {}. Todavía puede cancelar hasta que se envíe."
    ),
    "You agreed to wait for {}, and longer if need be. You may still cancel until it ships.": (
        "Usted aceptó esperar, y más tiempo si hace falta: {}. Todavía puede cancelar hasta que se envíe."
    ),
    "You canceled {}. We confirm it in writing and refund whatever you paid for it.": (
        "Usted canceló: {}. Se lo confirmamos por escrito y le reembolsamos todo lo que haya pagado."
    ),
    "Cancel what has not shipped": "Cancelar lo que no se ha enviado",
    "What do you want to cancel?": "¿Qué desea cancelar?",
    "You are not charged for what is canceled; what you paid for it comes back to you promptly. If a parcel is leaving"
    " at this moment, it may be too late: we tell you either way.": (
        "No se le cobra lo cancelado; lo que pagó por ello se le devuelve sin demora. Si un paquete está saliendo en"
        " este momento, puede ser tarde: se lo decimos en cualquier caso."
    ),
    "Cancel what I chose": "Cancelar lo que elegí",
    # a delivery that a law of delivery governs
    "Late: it should have reached you by {}": "Con retraso: debía llegarle a más tardar el {}",
    "You may end the contract": "Puede poner fin al contrato",
    "{}: to reach you by {}. It did not, or the shop has said that it will not deliver. If you end the contract,"
    " everything you paid for it comes back to you without undue delay. If you do nothing, the shop still owes"
    " you the goods.": (
        "{}: debía llegarle a más tardar el {}. No llegó, o la tienda dijo que no lo entregará. Si pone fin al"
        " contrato, se le devuelve sin demora indebida todo lo que pagó por ello. Si no hace nada, la tienda le sigue"
        " debiendo el producto."
    ),
    "End the contract and refund me": "Poner fin al contrato y reembolsarme",
    "It is late: give the shop a further time": "Va con retraso: dé a la tienda un plazo más",
    "{}: should have reached you by {}. Say until when you will still wait, a time that is fair in the circumstances."
    " If it has not come by then, you may end the contract here and get back everything you paid for it. If you"
    " do nothing, the shop still owes you the goods.": (
        "{}: debía llegarle a más tardar el {}. Diga hasta cuándo esperará aún, un plazo justo según las"
        " circunstancias. Si para entonces no ha llegado, puede poner fin al contrato aquí y recuperar todo lo que"
        " pagó por ello. Si no hace nada, la tienda le sigue debiendo el producto."
    ),
    "I will wait until": "Esperaré hasta el",
    "Give this further time": "Dar este plazo",
    "{}: to reach you by {}, the further time you gave. If it does not, you can end the contract on this page from the"
    " next day on.": (
        "{}: debe llegarle a más tardar el {}, el plazo que usted dio. Si no llega, puede poner fin al contrato en esta"
        " página desde el día siguiente."
    ),
    "{}: to reach you by {}. If it does not, you can give the shop a further time on this page from the next day on.": (
        "{}: debe llegarle a más tardar el {}. Si no llega, puede dar a la tienda un plazo más en esta página desde el"
        " día siguiente."
    ),
    # a payment
    "{} to pay": "{} por pagar",
    "Without a payment we cancel what has not shipped on {}.": (
        "Sin un pago cancelamos lo que no se haya enviado el {}."
    ),
    "Confirm with your bank": "Confirmar con su banco",
    "I have confirmed it": "Ya lo confirmé",
    "Try the same card again": "Probar otra vez la misma tarjeta",
    "Use another card": "Usar otra tarjeta",
    "Give a card": "Dar una tarjeta",
    "Another card": "Otra tarjeta",
    "You give your card on our payment processor's secure page. Nothing is charged there: you come back here and"
    " decide.": (
        "Usted da su tarjeta en la página segura de nuestro procesador de pagos. Allí no se cobra nada: vuelve aquí y"
        " decide."
    ),
    "Continue to the secure card page": "Seguir a la página segura",
    "Back to your order": "Volver a su pedido",
    "Card added": "Tarjeta agregada",
    "Nothing was asked of it yet. Your order still needs {}.": (
        "Todavía no se le ha pedido nada. Su pedido aún necesita {}."
    ),
    "Pay {} with it": "Pagar {} con ella",
    "Back to your order without it": "Volver a su pedido sin ella",
    # what could not be done
    "Choose to wait or to cancel.": "Elija esperar o cancelar.",
    "Choose what to cancel.": "Elija qué desea cancelar.",
    "There is nothing to answer at the moment.": "No hay nada que responder en este momento.",
    "Give the day until which you will wait.": "Indique el día hasta el que esperará.",
    "Give the last day of the further time: after today, within a year.": (
        "Indique el último día del plazo: después de hoy y dentro de un año."
    ),
    "There is nothing to answer.": "No hay nada que responder.",
    "It has shipped already, or is canceled. You can send it back.": (
        "Ya se envió o está cancelado. Puede devolverlo."
    ),
    "The time to answer is over, and it is canceled by law. To have it all the same, place a new order.": (
        "El plazo para responder terminó y está cancelado por ley. Si aún lo desea, haga un pedido nuevo."
    ),
    "The time to answer is over, or a newer message asks something else.": (
        "El plazo para responder terminó, o un mensaje más nuevo pregunta otra cosa."
    ),
    "This order needs no payment now.": "Este pedido no necesita un pago ahora.",
    "There is nothing to confirm at the moment.": "No hay nada que confirmar en este momento.",
    "The last payment is still being checked. Wait a moment.": (
        "El último pago todavía se está comprobando. Espere un momento."
    ),
    "The card page does not answer at the moment. Try again in a minute.": (
        "La página de tarjetas no responde en este momento. Pruebe de nuevo en un minuto."
    ),
    "No card was added yet. Finish the card page first.": (
        "Todavía no se agregó ninguna tarjeta. Termine primero la página de la tarjeta."
    ),
}
"""English sentence -> Spanish."""
REFUSED = {
    "not-late": "El plazo de entrega todavía no ha terminado.",
    "may-end": "Ya puede poner fin al contrato en esta página.",
    "may-not-end": "Todavía no se puede poner fin al contrato: primero tiene que pasar el plazo.",
    "period-runs": "Ya corre un plazo adicional.",
    "delivery-over": "Ya se entregó, o el contrato terminó.",
    "nothing-open": "No queda nada que cancelar: todo se envió o ya se canceló.",
    "too-few-open": "De eso ya no se puede cancelar tanto.",
    "promise-over": "Ya se envió, se canceló o pasó su último día.",
}
"""Code of a refusal -> Spanish."""
