"""The web's entry: granian and gunicorn call `app`."""

from app.factory import create_app

app = create_app()
