# SPDX-License-Identifier: Apache-2.0
"""What the attack sets share: a process that is attacked, and one connection of an attacker."""

import os
import select
import socket
import time


class Process:
    """A process under attack: its memory in MiB, and its CPU seconds."""

    def __init__(self, pid):
        self.pid = pid

    def memory_mib(self, field="VmRSS"):
        with open(f"/proc/{self.pid}/status", encoding="ascii") as status:
            line = next(line for line in status if line.startswith(field + ":"))
        return int(line.split()[1]) / 1024

    def cpu_seconds(self):
        with open(f"/proc/{self.pid}/stat", encoding="ascii") as stat:
            user, system = stat.read().rsplit(")", 1)[1].split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")

    def reset_peak(self):
        """Of the field VmHWM."""
        with open(f"/proc/{self.pid}/clear_refs", "w", encoding="ascii") as file:
            file.write("5")


class Attacker:
    """One connection from an address of loopback."""

    def __init__(self, port, source="127.0.0.2", receive_bytes=0):
        """`receive_bytes`: what the kernel keeps of what is not read; 0: as much as it likes."""
        self.socket = socket.socket()
        if receive_bytes:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        self.socket.setsockopt(socket.IPPROTO_IP, socket.IP_BIND_ADDRESS_NO_PORT, 1)
        self.socket.bind((source, 0))
        self.socket.settimeout(5)
        self.socket.connect(("127.0.0.1", port))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, *frames):
        """False if the server has ended the connection."""
        try:
            self.socket.sendall(b"".join(frames))
            return True
        except OSError:
            return False

    def is_cut(self, seconds):
        """Whether the server ends it in that time; what it sends meanwhile is read."""
        poll = select.poll()  # select() knows no descriptor above 1,023
        poll.register(self.socket, select.POLLIN)
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if not poll.poll(1_000 * left):
                return False
            try:
                if not self.socket.recv(65536):
                    return True
            except OSError:
                return True
        return False
