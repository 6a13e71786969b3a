# SPDX-License-Identifier: Apache-2.0
"""Tokens of an issuer whose keys change, against the real program."""

import base64
import contextlib
import hashlib
import hmac
import http.server
import json
import os
import re
import signal
import ssl
import subprocess
import threading
import time

from program import Ended, main

PATIENCE_SECONDS = 30


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Key:
    """An HS256 key of an issuer."""

    def __init__(self, key_id):
        self.key_id = key_id
        self.secret = os.urandom(32)

    def jwk(self):
        return {"kty": "oct", "kid": self.key_id, "alg": "HS256", "k": base64url(self.secret)}

    def token(self, user):
        parts = ({"alg": "HS256", "kid": self.key_id},
                 {"sub": user, "role": "user", "exp": int(time.time()) + 3600})
        text = ".".join(base64url(json.dumps(part).encode()) for part in parts)
        return text + "." + base64url(hmac.digest(self.secret, text.encode(), hashlib.sha256))


def key_set(*keys):
    return json.dumps({"keys": [key.jwk() for key in keys]})


@contextlib.contextmanager
def issuer(program):
    """A server with a certificate of its own; yields it, its address and the certificate."""
    certificate, secret = program.path("issuer.pem"), program.path("issuer.key")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=issuer",
                    "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", secret,
                    "-out", certificate], check=True, capture_output=True)

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(self.server.answer.encode())

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, secret)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server, f"https://127.0.0.1:{server.server_port}/keys", certificate
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def ask(program, key, expect):
    """Asks who one is by a token until the answer is this: a user, or a reason to refuse."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        done = subprocess.run(program.command("key", "whoami"), capture_output=True, text=True,
                              env={**os.environ, "WATTMINT_TOKEN": key.token("ann")}, check=False)
        if re.search(expect, done.stdout + done.stderr):
            return
        assert time.monotonic() < deadline, f"{expect} in vain: {done.stdout}{done.stderr}"


def an_issuer_is_followed_by_https(program):
    old, new = Key("old"), Key("new")
    with issuer(program) as (server, address, certificate):
        server.answer = key_set(old)
        program.start("core", "--jwt-keys", address, "--jwt-keys-ca", certificate)
        ask(program, old, r"user\s+ann")
        server.answer = key_set(old, new)
        ask(program, new, r"user\s+ann")
        server.answer = key_set(new)
        program.server.send_signal(signal.SIGHUP)
        ask(program, old, "INVALID_TOKEN")
    program.server.send_signal(signal.SIGHUP)  # nobody there: the keys stay
    ask(program, new, r"user\s+ann")
    assert program.stop() == 0


def an_issuer_that_cannot_be_trusted_stops_the_start(program):
    with issuer(program) as (server, address, _):
        server.answer = key_set(Key("one"))
        with open(program.path("log"), "w+", encoding="utf-8") as program.log:
            try:
                program.start("core", "--jwt-keys", address)
                raise AssertionError("a core trusts a certificate that nobody signed")
            except Ended as ended:
                assert ended.code == 1, ended
            program.log.seek(0)
            error = program.log.read()
            assert address in error and "certificate" in error, error
            program.server = program.log = None
    _, error = program.run("core", "--jwt-keys", "https://me:hush@127.0.0.1/", expect=2)
    assert "no password" in error and "hush" not in error, error


def a_file_is_read_again_when_it_changes(program):
    old, new = Key("old"), Key("new")
    file = program.path("keys.json", key_set(old))
    program.start("core", "--jwt-keys", file)
    ask(program, old, r"user\s+ann")
    program.path("keys.json", "{")
    program.path("keys.json", key_set(new))
    ask(program, new, r"user\s+ann")
    ask(program, old, "INVALID_TOKEN")


if __name__ == "__main__":
    main([an_issuer_is_followed_by_https, an_issuer_that_cannot_be_trusted_stops_the_start,
          a_file_is_read_again_when_it_changes])
