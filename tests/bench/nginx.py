"""nginx on loopback for the rows that fetch: a folder, free ports and a process of its own. Over TLS also HTTP/2."""

import contextlib
import os
import pathlib
import shutil
import socket
import subprocess
import time

from measure import CannotRun

CONFIGURATION = """daemon off;
master_process off;
pid "{folder}/pid";
error_log "{folder}/error.log";
events {{ worker_connections 4096; }}
http {{
  access_log off;
  sendfile on;
  tcp_nopush on;
  keepalive_requests 10000000;
  open_file_cache max=20000;
  client_body_temp_path "{folder}/body";
  proxy_temp_path "{folder}/proxy";
  fastcgi_temp_path "{folder}/fastcgi";
  uwsgi_temp_path "{folder}/uwsgi";
  scgi_temp_path "{folder}/scgi";
  ssl_certificate "{folder}/chain.pem";
  ssl_certificate_key "{folder}/key.pem";
  server {{
    listen 127.0.0.1:{plain};
    listen 127.0.0.1:{tls} ssl http2;
    root "{folder}/root";
  }}
}}
"""


class Server:
    """Where it is: `plain` and `tls` are the beginnings of URLs. `authority` is our own; `authorities` are what this system
    trusts, as a user's program has to read it, and our own: in one file, and in a folder under the hashes of their names."""

    def __init__(self, folder, plain, tls):
        self.root = f"{folder}/root"
        self.authority = f"{folder}/authority.pem"
        self.authorities = f"{folder}/authorities.pem"
        self.hashed_authorities = f"{folder}/authorities"
        self.plain = f"http://127.0.0.1:{plain}"
        self.tls = f"https://127.0.0.1:{tls}"


def find(build):
    unpacked = os.path.join(os.path.dirname(os.path.abspath(build)), "nginx/usr/sbin/nginx")
    for path in ("/usr/sbin/nginx", shutil.which("nginx"), unpacked):
        if path and os.access(path, os.X_OK):
            return path
    raise CannotRun("there is no nginx; .ci/setup bench unpacks one into build/nginx")


def openssl(*words):
    request = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
    if subprocess.run([*request, *words], capture_output=True, check=False).returncode != 0:
        raise CannotRun("openssl can't make a certificate")


def trust_also(authority, path):
    """Writes the certificates that this system trusts, and `authority`, into one file."""
    try:
        with open(path, "wb") as file:
            for source in ("/etc/ssl/certs/ca-certificates.crt", authority):
                file.write(pathlib.Path(source).read_bytes())
    except FileNotFoundError as missing:
        raise CannotRun("there is no list of trusted certificates; install ca-certificates") from missing


def trust_also_by_hash(authority, folder):
    """The same as a folder."""
    shutil.copytree("/etc/ssl/certs", folder, symlinks=True, ignore=shutil.ignore_patterns("ca-certificates.crt"))
    shutil.copy(authority, folder)
    if subprocess.run(["openssl", "rehash", folder], capture_output=True, check=False).returncode != 0:
        raise CannotRun("openssl can't hash a folder of certificates")


def free_ports(count):
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


@contextlib.contextmanager
def nginx(bench):
    """Serves `root` of the Server that the block gets; ended by its pid after it."""
    folder = f"{bench.folder}/nginx"
    os.makedirs(f"{folder}/root")
    authority = f"{folder}/authority.pem"
    authority_key = f"{folder}/authority_key.pem"
    openssl("-subj", "/CN=gather bench authority", "-keyout", authority_key, "-out", authority)
    trust_also(authority, f"{folder}/authorities.pem")
    trust_also_by_hash(authority, f"{folder}/authorities")
    leaf = ["-addext", "subjectAltName=IP:127.0.0.1", "-addext", "basicConstraints=critical,CA:FALSE"]
    signed = ["-CA", authority, "-CAkey", authority_key, "-keyout", f"{folder}/key.pem", "-out", f"{folder}/chain.pem"]
    openssl("-subj", "/CN=localhost", *leaf, *signed)
    plain, tls = free_ports(2)
    with open(f"{folder}/nginx.conf", "w", encoding="utf-8") as file:
        file.write(CONFIGURATION.format(folder=folder, plain=plain, tls=tls))
    process = subprocess.Popen(
        [find(bench.build), "-p", folder, "-c", f"{folder}/nginx.conf", "-e", f"{folder}/error.log"],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 10
        while True:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", plain)) == 0:
                    break
            if process.poll() is not None or time.monotonic() > deadline:
                raise CannotRun("nginx does not start")
            time.sleep(0.01)
        yield Server(folder, plain, tls)
    finally:
        process.terminate()
        process.wait()
