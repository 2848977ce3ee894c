"""`python -m app.promises.check`."""

import sys

from app.promises.check.command import main

if __name__ == "__main__":
    sys.exit(main())
