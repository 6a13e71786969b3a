#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""An external signer written from core/ledger/signer_protocol.h and mint_text.h alone.

It shares no code with the program; Ed25519 comes from libsodium. Run it as
  minimal_signer.py SOCKET SEED_IN_HEX [MOOD...]
Each MOOD is how one connection goes, in turn; after them, and without any, it behaves:
  well     behaves
  wrong    signs one text with another key and closes
  silent   never answers
  hangup   closes at the first request
  garbage  answers what is no line of the protocol
Limits are its own: it refuses mints of more than 50 GRX.
"""

import ctypes
import ctypes.util
import os
import re
import socket
import sys

ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
BASE_UNITS_MAX = 50 * 10**9
MINT = re.compile(rb"wattmint mint 1\nledger [0-9a-f-]{36}\nkey [!-~]+\n"
                  rb"wallet [1-9A-HJ-NP-Za-km-z]{32,44}\nbase_units ([1-9][0-9]*)\n")
SODIUM = ctypes.CDLL(ctypes.util.find_library("sodium") or "libsodium.so.23")


def base58(data):
    number, text = int.from_bytes(data, "big"), ""
    while number:
        number, digit = divmod(number, 58)
        text = ALPHABET[digit] + text
    return "1" * (len(data) - len(data.lstrip(b"\0"))) + text


class Key:
    def __init__(self, seed):
        self.public = ctypes.create_string_buffer(32)
        self.secret = ctypes.create_string_buffer(64)
        SODIUM.crypto_sign_seed_keypair(self.public, self.secret, seed)

    def sign(self, text):
        signature = ctypes.create_string_buffer(64)
        SODIUM.crypto_sign_detached(signature, None, text, ctypes.c_ulonglong(len(text)),
                                    self.secret)
        return signature.raw


def answer(key, number, text):
    mint = MINT.fullmatch(text)
    if not mint:
        return f"refused {number} this is no mint"
    if int(mint[1]) > BASE_UNITS_MAX:
        return f"refused {number} more than 50 GRX"
    return f"signed {number} {base58(key.sign(text))}"


def serve(stream, key, mood):
    def say(line):
        stream.write(line.encode() + b"\n")
        stream.flush()

    if stream.readline() != b"wattmint signer 1\n":
        return say("error this signer speaks version 1")
    say(f"key {base58(key.public.raw)}")
    signing = Key(b"another key, of exactly 32 bytes") if mood == "wrong" else key
    while line := stream.readline():
        word, number, length = line.decode().split()
        text = stream.read(int(length))
        if word != "sign" or mood == "hangup":
            return None
        if mood == "garbage":
            say("\x01\x02 200 OK")
        elif mood != "silent":
            say(answer(signing, number, text))
        if mood == "wrong":
            return None
    return None


def main(path, seed, *moods):
    key, moods = Key(bytes.fromhex(seed)), list(moods)
    listener = socket.socket(socket.AF_UNIX)
    os.umask(0o177)
    listener.bind(path)
    listener.listen()
    print(base58(key.public.raw), flush=True)
    while True:
        connection, _ = listener.accept()
        try:
            # Closing writes what a broken pipe has left over, and may fail once more.
            with connection, connection.makefile("rwb") as stream:
                serve(stream, key, moods.pop(0) if moods else "well")
        except (BrokenPipeError, ConnectionResetError):
            pass


if __name__ == "__main__":
    main(*sys.argv[1:])
