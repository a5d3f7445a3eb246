"""How is the Temporal CLI downloaded the way that the SDK's test environment does it?

Run as a program of its own: ``python -m agent.servers.sdk_download FOLDER``. The SDK downloads the CLI only on the way
to starting a dev server, and a process that used it can crash at its end; both stay outside of the caller.
"""

from __future__ import annotations

import asyncio
import os
import sys

from temporalio.testing import WorkflowEnvironment


async def download(folder: str) -> None:
    """Have the SDK download its CLI into a folder, and start and stop a dev server once, which shows that it runs."""
    environment = await WorkflowEnvironment.start_local(download_dest_dir=folder)
    await environment.shutdown()


def main() -> None:
    """Download into the folder given as argument; the exit status says whether it worked."""
    try:
        asyncio.run(download(sys.argv[1]))
    except RuntimeError as error:
        sys.stderr.write(f"{error}\n")
        sys.stderr.flush()
        os._exit(1)
    os._exit(0)


if __name__ == "__main__":
    main()
