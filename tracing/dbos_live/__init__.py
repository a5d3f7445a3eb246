"""Live tracing of DBOS workflows: the spans that `tracing.dbos` makes of the database, while they come to be.

A step's function runs inside an attempt of ours, which knows what happens in it. What DBOS has recorded is read back
from its database by `tracing.dbos`, on a thread of its own, and told by the same builders: so both readers agree.
"""

from importlib.util import find_spec

if find_spec("dbos") is None:
    raise ImportError("Live tracing of DBOS needs DBOS, which is not installed: pip install 'durable-trace[dbos]'.")
