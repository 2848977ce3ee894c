"""The web's entry: granian and gunicorn call `app`."""

from infra.embedded import processes
from infra.loading import loading

with loading():
    from app.factory import create_app
    from workers.sandbox import blueprint as sandbox

    app = create_app(sandbox)
processes.begin()
