"""`python -m app.promises.check`."""

import sys

from app.promises.check.command import main

sys.exit(main())
