"""What a process takes on before it reads anything private."""

import os


def close_up() -> None:
    """Write files for their owner only, and leave no core dump: it would hold comments.

    Warnings and rich tracebacks that quote local variables are never installed here, so there is
    nothing to turn off for them.
    """
    os.umask(0o077)
    try:
        import resource
    except ImportError:  # not on Windows
        return
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
