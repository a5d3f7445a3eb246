"""How are Temporal's servers downloaded the way that the SDK's test environment does it?

Run as a program of its own: ``python -m agent.servers.sdk_download FOLDER [--time-skipping]``. The SDK downloads a
server only on the way to starting it, and a process that used it can crash at its end; both stay outside of the caller.
"""

from __future__ import annotations

import asyncio
import os
import sys

from temporalio.testing import WorkflowEnvironment


async def download(folder: str, *, time_skipping: bool) -> None:
    """Have the SDK download a server into a folder, and start and stop it once, which shows that it runs.

    Args:
        folder: Where the program goes.
        time_skipping: The test server, in which waiting takes no time, and not the CLI with its dev server.
    """
    if time_skipping:
        environment = await WorkflowEnvironment.start_time_skipping(download_dest_dir=folder)
    else:
        environment = await WorkflowEnvironment.start_local(download_dest_dir=folder)
    await environment.shutdown()


def main() -> None:
    """Download into the folder given as argument; the exit status says whether it worked."""
    try:
        asyncio.run(download(sys.argv[1], time_skipping="--time-skipping" in sys.argv[2:]))
    except RuntimeError as error:
        sys.stderr.write(f"{error}\n")
        sys.stderr.flush()
        os._exit(1)
    os._exit(0)


if __name__ == "__main__":
    main()
