"""Downloads: gather against the tools that people use, from nginx on loopback."""

import contextlib
import functools
import hashlib
import json
import os
import re
import shutil
import socket
import subprocess
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
    """`gather fetch` of a list into `folder`, or to standard output, which goes nowhere. `digests`: the SHA-256 of each."""

    def __init__(self, bench, name, urls, folder=None, digests=None, more=()):
        self.report = f"{bench.folder}/{name}_report.json"
        lines = urls
        if digests:
            lines = [f"{url}\t{url.rsplit('/', 1)[1]}\tsha256:{digest}" for url, digest in zip(urls, digests, strict=True)]
        listed = write(f"{bench.folder}/{name}.urls", "\n".join(lines) + "\n")
        self.argv = [bench.gather, "fetch", "-q", "-i", listed, "-j", str(AT_ONCE), *limit_per_host(bench), *more]
        self.argv += ["-d", folder] if folder else ["-o", "-"]

    def lag(self):
        """The longest that the loop kept anything waiting, in ms. Of a run of its own: a report has a SHA-256 of each file."""
        anew = [] if "--if-exists" in self.argv else ["--if-exists", "overwrite"]
        run([*self.argv, *anew, "--report", f"json={self.report}"])
        with open(self.report, encoding="utf-8") as file:
            found = re.search(r'"loop_lag"[^}]*"max_ms": ([0-9.]+)', file.read())
        if not found:
            raise CannotRun(f"no loop lag in {self.report}")
        return float(found[1])


@functools.cache
def has_limit_per_host(gather):
    done = subprocess.run([gather, "fetch", "--help"], capture_output=True, text=True, check=False)
    return "--per-host" in done.stdout


def limit_per_host(bench):
    return ["--per-host", str(AT_ONCE)] if has_limit_per_host(bench.gather) else []


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
    floor = [bench.program("bench_fetch_floor"), listed]
    digests = [sum256(f"{server.root}/f{i}") for i in range(count)]
    to_files = Gather(bench, "small", urls, out)
    # With a checksum no version is noted beside a file; so what hashing costs is told from runs that note none.
    unnoted = Gather(bench, "small_unnoted", urls, out, more=["--if-exists", "overwrite"])
    checked = Gather(bench, "small_checked", urls, out, digests, more=["--if-exists", "overwrite"])

    files = {"gather": to_files.argv, "gather, no version": unnoted.argv, "gather, SHA-256": checked.argv}
    files["curl -Z"] = curl(bench, "curl_small", urls, out)
    files |= {"aria2c": aria2, "wget2": wget2, "aiohttp": [*aiohttp, out], "bare libcurl": [*floor, out]}
    answers = interleaved({name: into(out, count, 1000, argv) for name, argv in files.items()}, bench.runs)
    compare(bench, f"{count:,} files of 1 KB, {AT_ONCE} at once", answers, count)
    lags = [to_files.lag() for _ in range(bench.runs)]
    show("gather, longest loop lag of each run", lags, "ms")
    digest_cost = ratios(*([cost.cpu for cost in answers[f"gather, {kind}"]] for kind in ("SHA-256", "no version")))
    show("  CPU with SHA-256 over CPU without", digest_cost)
    bench.goals.at_least("small files: requests/s over curl -Z's", 1.15, median(speed(answers, "curl -Z")))
    bench.goals.at_most("small files: CPU over curl -Z's", 0.75, median(cpu(answers, "curl -Z")))
    bench.goals.at_most("small files: CPU over aria2c's", 0.5, median(cpu(answers, "aria2c")))
    bench.goals.at_most("small files: CPU over aiohttp's", 0.25, median(cpu(answers, "aiohttp")))
    bench.goals.at_most("small files: CPU with SHA-256 over without", 1.15, median(digest_cost))
    bench.goals.at_most("small files: loop lag", 15, median(lags), "ms")

    nowhere = Gather(bench, "small_nowhere", urls)
    discard = {"gather": nowhere.argv, "curl -Z": curl(bench, "curl_nowhere", urls, None), "aiohttp": aiohttp, "bare libcurl": floor}
    answers = interleaved({name: lambda argv=argv: run(argv) for name, argv in discard.items()}, bench.runs)
    compare(bench, "the same, into /dev/null (gather: by standard output, in order)", answers, count)
    bench.goals.at_least("bodies discarded: requests/s over curl -Z's", 1.5, median(speed(answers, "curl -Z")))
    bench.goals.at_most("bodies discarded: CPU over curl -Z's", 0.55, median(cpu(answers, "curl -Z")))
    ceiling = []
    for _ in range(bench.runs):
        path = f"{folder}/wrk"
        run(["wrk", "-t1", f"-c{AT_ONCE}", "-d1s", urls[0]], stdout=path)
        with open(path, encoding="utf-8") as file:
            ceiling.append(float(re.search(r"Requests/sec:\s*([0-9.]+)", file.read())[1]))
    show("the ceiling: wrk, one URL, requests/s", ceiling)


def onto_disk(bench, server, count):
    """Small files where downloads usually go. When the file system writes what is beyond the programs, so rounds differ
    more, and no goal is set; and it is the last row, as the disk is busy for some time after."""
    urls = [f"{server.plain}/f{i}" for i in range(count)]
    out = f"{bench.folder}/out"
    kind = subprocess.run(["stat", "-f", "-c", "%T", bench.folder], capture_output=True, text=True, check=True).stdout.strip()
    programs = {"gather": Gather(bench, "small_disk", urls, out).argv, "curl -Z": curl(bench, "curl_disk", urls, out)}
    answers = interleaved({name: into(out, len(urls), 1000, argv) for name, argv in programs.items()}, bench.runs)
    shutil.rmtree(out)
    compare(bench, f"{count:,} files of 1 KB onto the disk ({kind})", answers, count)


def over_tls(bench, server, count, place):
    """The certificate verified on each connection. Each finds the authorities as it does by default on Debian: gather in
    the hashed folder, curl in the file, which it reads for each connection. The other way is shown, too."""
    urls = [f"{server.tls}/f{i}" for i in range(count)]
    out = f"{place}/out"
    trusting = ["env", "CURL_CA_BUNDLE=", "SSL_CERT_FILE="]
    for version, words, peers_words, goal in (("1.1", ["--http", "1.1"], ["--http1.1"], 8), ("2", ["--http", "2"], ["--http2"], 1.25)):
        gather = Gather(bench, f"tls_{version}", urls, out, more=words).argv
        programs = {
            "gather": [*trusting, f"SSL_CERT_DIR={server.hashed_authorities}", *gather],
            "gather, from a file": [*trusting[:-1], f"SSL_CERT_FILE={server.authorities}", *gather],
            "curl -Z": curl(bench, f"curl_tls_{version}", urls, out, *peers_words, "--cacert", server.authorities),
            "curl -Z, from a folder": curl(bench, f"curl_tls_{version}", urls, out, *peers_words, "--cacert", server.authority,
                                           "--capath", server.hashed_authorities),
        }
        answers = interleaved({name: into(out, count, 1000, argv) for name, argv in programs.items()}, bench.runs)
        compare(bench, f"{count:,} files of 1 KB over TLS, HTTP/{version}, {AT_ONCE} at once", answers, count)
        bench.goals.at_least(f"TLS, HTTP/{version}: requests/s over curl -Z's", goal, median(speed(answers, "curl -Z")))
        bench.goals.at_most(f"TLS, HTTP/{version}: CPU over curl -Z's", 1, median(cpu(answers, "curl -Z")))


def large_file(bench, server, size):
    with open(f"{server.root}/large", "wb") as file:
        file.write(os.urandom(1 << 20) * (size >> 20))
    url = f"{server.plain}/large"
    out = f"{bench.folder}/out"
    plain = Gather(bench, "large_file", [url], out)
    checked = Gather(bench, "large_checked", [url], out, [sum256(f"{server.root}/large")])
    calls = {
        "gather": into(out, 1, size, plain.argv),
        "gather, SHA-256": into(out, 1, size, checked.argv),
        "curl": into(out, 1, size, ["curl", "-q", "-sSf", "-o", f"{out}/large", url]),
    }
    answers = interleaved(calls, bench.runs)
    heading(f"one file of {size >> 20:,} MiB")
    for name, costs in answers.items():
        show(f"{name}, wall", [cost.wall for cost in costs], "s")
        show(f"{name}, CPU", [cost.cpu for cost in costs], "s")
    wall = ratios(*([cost.wall for cost in answers[name]] for name in ("gather", "curl")))
    show("  gather's wall over curl's", wall)
    show("  gather's CPU over curl's", cpu(answers, "curl"))
    more = [a.cpu - b.cpu for a, b in zip(answers["gather, SHA-256"], answers["gather"], strict=True)]
    show("  CPU that SHA-256 adds", [1000 * seconds / (size / 1e6) for seconds in more], "ms/MB")
    lags = [checked.lag() for _ in range(bench.runs)]
    show("gather, hashing, longest loop lag of each run", lags, "ms")
    bench.goals.at_most("one large file: wall over curl's", 1, median(wall))
    bench.goals.at_most("one large file: CPU over curl's", 1.1, median(cpu(answers, "curl")))
    bench.goals.at_most("one large file, hashed: loop lag", 15, median(lags), "ms")


@contextlib.contextmanager
def silent_host():
    """A host that takes connections and never answers: the beginning of its URLs."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.2", 0))
        listener.listen(64)
        yield "http://127.0.0.2:%d" % listener.getsockname()[1]


def beside_a_stalled_host(bench, server, count, place):
    """How much longer the downloads of one host take while another one says nothing: by the slowest of 100, and of all."""
    good = [f"{server.plain}/f{i}" for i in range(count)]
    out, report = f"{place}/out", f"{bench.folder}/stalled.jsonl"

    def durations(urls):
        shutil.rmtree(out, ignore_errors=True)
        listed = write(f"{bench.folder}/stalled.urls", "\n".join(urls) + "\n")
        words = ["-q", "-i", listed, "-d", out, "--retries", "0", "--stall-timeout", "1s", "--report", f"jsonl={report}"]
        subprocess.run([bench.gather, "fetch", *words], capture_output=True, check=False)  # Those of the silent host fail.
        with open(report, encoding="utf-8") as file:
            records = [json.loads(line) for line in file]
        return sorted(each["total_ms"] for each in records if each["ok"])

    with silent_host() as silent:
        calls = {
            "alone": lambda: durations(good),
            "beside": lambda: durations([f"{silent}/s{i}" for i in range(12)] + good),
        }
        answers = interleaved(calls, bench.runs)
    if any(len(each) != count for several in answers.values() for each in several):
        raise CannotRun("a download beside a stalled host has failed")
    heading(f"{count:,} files of 1 KB, alone and beside 12 of a host that never answers")
    picks = {"99 of 100 take at most": count * 99 // 100, "the longest takes": count - 1}
    for label, place_in_order in picks.items():
        alone, beside = ([each[place_in_order] for each in answers[name]] for name in ("alone", "beside"))
        show(f"{label}, alone", alone, "ms")
        show(f"{label}, beside the stalled host", beside, "ms")
    bench.goals.at_most("beside a stalled host: the longest is longer by", 5, median(beside) - median(alone), "ms")


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
            beside_a_stalled_host(bench, server, count // 10, place)
        large_file(bench, server, (64 if bench.quick else 1024) << 20)
        onto_disk(bench, server, count)
