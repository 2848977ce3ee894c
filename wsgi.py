"""The web's entry: granian and gunicorn call `app`."""

from app.factory import create_app
from infra import memory
from workers.sandbox import blueprint as sandbox

app = create_app(sandbox)
memory.settle()
