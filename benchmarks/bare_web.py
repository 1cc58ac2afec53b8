"""A minimal Starlette application: it serves a folder with StaticFiles, on uvicorn with the parser that we use.

python -m benchmarks.bare_web FOLDER PORT
"""

from __future__ import annotations

import sys

import uvicorn
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles


def main() -> None:
    """Serve until a signal arrives. As in ours, uvicorn logs no requests and has one worker."""
    folder, port = sys.argv[1], int(sys.argv[2])
    application = Starlette(routes=[Mount("/", StaticFiles(directory=folder, html=True))])
    uvicorn.run(
        application,
        port=port,
        http="h11",
        loop="asyncio",
        ws="none",
        lifespan="off",
        log_level="critical",
        access_log=False,
    )


if __name__ == "__main__":
    main()
