"""Downloads: gather against the tools that people use, from nginx on loopback."""

import contextlib
import hashlib
import json
import os
import re
import shutil
import sys
import tempfile

from measure import CannotRun, heading, interleaved, median, ratios, run, show
from nginx import nginx

AT_ONCE = 64


def write(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path


def write_files(root, count, size):
    for i in range(count):
        write(f"{root}/f{i}", f"{i:{size - 1}}\n")


class Gather:
    """gather by a job file, until `gather fetch` does the same: then argv() is
    [gather, "fetch", "-q", "-i", list, "-d", folder, "--per-host", str(AT_ONCE)]."""

    def __init__(self, bench, name, urls, folder=None, digest=None):
        self.gather = bench.gather
        self.report = f"{bench.folder}/{name}_report.json"
        tasks = {}
        for i, url in enumerate(urls):
            tasks[f"t{i}"] = {"fetch": {"url": url}}
            if folder:
                tasks[f"t{i}"]["fetch"]["output"] = f"{os.path.basename(folder)}/{url.rsplit('/', 1)[1]}"
            if digest:
                tasks[f"t{i}"]["fetch"]["sha256"] = digest(i)
        limits = {"jobs": AT_ONCE, "fetches": AT_ONCE, "hosts": {"*": {"max": AT_ONCE}}}
        place = os.path.dirname(folder) if folder else bench.folder  # Outputs are below the job file.
        self.job = write(f"{place}/{name}.json", json.dumps({"limits": limits, "tasks": tasks}))
        try:
            run([self.gather, "check", self.job])
        except CannotRun:  # A gather that has no limits per host.
            del limits["hosts"]
            write(self.job, json.dumps({"limits": limits, "tasks": tasks}))

    def argv(self):
        return [self.gather, "run", "-q", self.job, "--report", f"json={self.report}"]

    def lag(self):
        """The longest that the loop kept anything waiting, in ms; the tasks behind it in the report may be many."""
        with open(self.report, encoding="utf-8") as file:
            found = re.search(r'"loop_lag"[^}]*"max_ms": ([0-9.]+)', file.read())
        if not found:
            raise CannotRun(f"no loop lag in {self.report}")
        return float(found[1])


def curl(bench, name, urls, folder, *more):
    """curl -Z with each file under its name in `folder`, or nowhere."""
    lines = "".join(
        f'url = "{url}"\noutput = "{folder + "/" + url.rsplit("/", 1)[1] if folder else "/dev/null"}"\n' for url in urls)
    return ["curl", "-q", "-sSf", "-Z", "--parallel-max", str(AT_ONCE), *more, "-K", write(f"{bench.folder}/{name}", lines)]


def into(folder, count, size, argv):
    """A call that runs `argv` with `folder` new, and looks whether it brought `count` files of `size` bytes."""

    def call():
        shutil.rmtree(folder, ignore_errors=True)
        os.mkdir(folder)
        cost = run(argv)
        got = [entry.stat().st_size for entry in os.scandir(folder)]
        if got != [size] * count:
            raise CannotRun(f"{len(got)} files instead of {count}, or of other sizes, from {' '.join(argv)[:200]}")
        return cost

    return call


def compare(bench, title, answers, count):
    """Shows requests per second and CPU of each, and gather's by those of each peer, round by round."""
    heading(title)
    for name, costs in answers.items():
        show(f"{name}, requests/s", [count / cost.wall for cost in costs])
        show(f"{name}, CPU of a request", [1e6 * cost.cpu / count for cost in costs], "µs")
        if name != "gather":
            show(f"  gather's requests/s over {name}'s", speed(answers, name))
            show(f"  gather's CPU over {name}'s", cpu(answers, name))


def speed(answers, peer):
    return ratios([cost.wall for cost in answers[peer]], [cost.wall for cost in answers["gather"]])


def cpu(answers, peer):
    return ratios([cost.cpu for cost in answers["gather"]], [cost.cpu for cost in answers[peer]])


@contextlib.contextmanager
def in_memory(bench):
    """A folder in which small files cost little, so that it is the programs that are compared, and no disk."""
    place = "/dev/shm" if os.access("/dev/shm", os.W_OK) else bench.folder
    with tempfile.TemporaryDirectory(prefix="gather-bench-", dir=place) as folder:
        yield folder


def small_files(bench, server, count, place):
    """1 KB each: what a request costs."""
    folder = bench.folder
    urls = [f"{server.plain}/f{i}" for i in range(count)]
    listed = write(f"{folder}/urls", "\n".join(urls) + "\n")
    out = f"{place}/out"
    aiohttp = [sys.executable, f"{bench.here}/fetch_aiohttp.py", listed]
    aria2 = ["aria2c", "--no-conf", "-q", "-i", listed, "-d", out, f"-j{AT_ONCE}", "--file-allocation=none"]
    wget2 = ["wget2", "--no-config", "-q", "-i", listed, "-P", out, f"--max-threads={AT_ONCE}", "--http2=off"]
    to_files = Gather(bench, "small", urls, out)
    nowhere = Gather(bench, "small_nowhere", urls)

    files = {"gather": to_files.argv(), "curl -Z": curl(bench, "curl_small", urls, out), "aria2c": aria2, "wget2": wget2}
    files["aiohttp"] = [*aiohttp, out]
    lags = []

    def gather():
        cost = into(out, count, 1000, to_files.argv())()
        lags.append(to_files.lag())
        return cost

    calls = {name: into(out, count, 1000, argv) for name, argv in files.items()} | {"gather": gather}
    answers = interleaved(calls, bench.runs)
    compare(bench, f"{count:,} files of 1 KB, {AT_ONCE} at once", answers, count)
    show("gather, longest loop lag of each run", lags, "ms")
    bench.goals.at_least("small files: requests/s over curl -Z's", 1, median(speed(answers, "curl -Z")))
    bench.goals.at_most("small files: CPU over curl -Z's", 1, median(cpu(answers, "curl -Z")))
    bench.goals.at_most("small files: CPU over aria2c's", 0.5, median(cpu(answers, "aria2c")))
    bench.goals.at_most("small files: CPU over aiohttp's", 0.25, median(cpu(answers, "aiohttp")))

    discard = {"gather": nowhere.argv(), "curl -Z": curl(bench, "curl_nowhere", urls, None), "aiohttp": aiohttp}
    answers = interleaved({name: lambda argv=argv: run(argv) for name, argv in discard.items()}, bench.runs)
    compare(bench, "the same, bodies kept nowhere (gather: in memory)", answers, count)
    ceiling = []
    for _ in range(bench.runs):
        path = f"{folder}/wrk"
        run(["wrk", "-t1", f"-c{AT_ONCE}", "-d1s", urls[0]], stdout=path)
        with open(path, encoding="utf-8") as file:
            ceiling.append(float(re.search(r"Requests/sec:\s*([0-9.]+)", file.read())[1]))
    show("the ceiling: wrk, one URL, requests/s", ceiling)


def over_tls(bench, server, count, place):
    """The certificate verified on each connection."""
    urls = [f"{server.tls}/f{i}" for i in range(count)]
    out = f"{place}/out"
    gather = ["env", "CURL_CA_BUNDLE=", f"SSL_CERT_FILE={server.authority}", *Gather(bench, "tls", urls, out).argv()]
    peer = curl(bench, "curl_tls", urls, out, "--http1.1", "--cacert", server.authority)
    calls = {"gather": into(out, count, 1000, gather), "curl -Z": into(out, count, 1000, peer)}
    answers = interleaved(calls, bench.runs)
    compare(bench, f"{count:,} files of 1 KB over TLS, HTTP/1.1, {AT_ONCE} at once", answers, count)
    bench.goals.at_most("TLS: CPU over curl -Z's", 1, median(cpu(answers, "curl -Z")))


def large_file(bench, server, size):
    with open(f"{server.root}/large", "wb") as file:
        file.write(os.urandom(1 << 20) * (size >> 20))
    url = f"{server.plain}/large"
    digest = sum256(f"{server.root}/large")
    out = f"{bench.folder}/out"
    plain = Gather(bench, "large_file", [url], out)
    checked = Gather(bench, "large_checked", [url], out, lambda _: digest)
    lags = []

    def gather():
        cost = into(out, 1, size, plain.argv())()
        lags.append(plain.lag())
        return cost

    calls = {
        "gather": gather,
        "gather, SHA-256": into(out, 1, size, checked.argv()),
        "curl": into(out, 1, size, ["curl", "-q", "-sSf", "-o", f"{out}/large", url]),
    }
    answers = interleaved(calls, bench.runs)
    heading(f"one file of {size >> 20:,} MiB")
    for name, costs in answers.items():
        show(f"{name}, wall", [cost.wall for cost in costs], "s")
        show(f"{name}, CPU", [cost.cpu for cost in costs], "s")
    show("  gather's wall over curl's", ratios(*([cost.wall for cost in answers[name]] for name in ("gather", "curl"))))
    show("  gather's CPU over curl's", cpu(answers, "curl"))
    more = [a.cpu - b.cpu for a, b in zip(answers["gather, SHA-256"], answers["gather"], strict=True)]
    show("  CPU that SHA-256 adds", [1000 * seconds / (size / 1e6) for seconds in more], "ms/MB")
    show("gather, longest loop lag of each run", lags, "ms")
    bench.goals.at_most("one large file: CPU over curl's", 1.1, median(cpu(answers, "curl")))


def sum256(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def fetch(bench):
    count = 1000 if bench.quick else 10_000
    with nginx(bench) as server:
        write_files(server.root, count, 1000)
        with in_memory(bench) as place:
            small_files(bench, server, count, place)
            over_tls(bench, server, count // 5, place)
        large_file(bench, server, (64 if bench.quick else 1024) << 20)
