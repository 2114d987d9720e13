"""What the Python peers of core/async have in common."""

import resource


def use_loop(name):
    """Python's own loop, or uvloop's."""
    if name == "uvloop":
        import uvloop

        uvloop.install()


def cpu_seconds():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def peak_memory_bytes():
    """As in measure.hpp."""
    with open("/proc/self/status", encoding="ascii") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM:"))
