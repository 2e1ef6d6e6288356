"""The shop's web server as it is when all its threads stay busy: a WSGI application for `Shop.serve`.

A process that is full leaves the next connection to the others for longer than any test lasts, and a request for
/stay takes until there is a file `go` in the shop's folder. Who takes nothing of an answer is let go soon.
"""

import os
from pathlib import Path

from bakery.serving import FairWorker
from bakery.wsgi import application as shop
from tests.waiting import wait_until

FairWorker.PATIENCE = 3600
FairWorker.PAUSE = 2


def application(environ, start_response):
    if environ["PATH_INFO"] == "/stay":
        wait_until(Path(os.environ["DATA_DIR"], "go").exists)
    return shop(environ, start_response)
