"""A link between two network namespaces: TUN devices, and packets carried between them with delay, loss and a bandwidth.

Usage: link.py NAMESPACE_A DEVICE_A NAMESPACE_B DEVICE_B ONE_WAY_MS LOSS MBIT_PER_S. Writes a line once the link is up.
A real TCP and a real QUIC meet the same conditions on it, which no relay between sockets can give to TCP.
"""

import collections
import fcntl
import os
import random
import select
import struct
import subprocess
import sys
import time

TUNSETIFF = 0x400454CA
IFF_TUN = 0x0001
IFF_NO_PI = 0x1000
# As much as a router's queue holds: 50 ms at the link's bandwidth.
QUEUE_SECONDS = 0.05
NETWORK = "10.213.71"


class Direction:
    """Packets on their way from one device to the other."""

    def __init__(self, to, delay, loss, bytes_per_second, rng):
        self.to = to
        self.delay = delay
        self.loss = loss
        self.bytes_per_second = bytes_per_second
        self.rng = rng
        self.busy_until = 0.0
        self.under_way = collections.deque()

    def put(self, packet, now):
        start = max(now, self.busy_until)
        if start - now > QUEUE_SECONDS or self.rng.random() < self.loss:
            return
        self.busy_until = start + len(packet) / self.bytes_per_second
        self.under_way.append((self.busy_until + self.delay, packet))

    def deliver(self, now):
        while self.under_way and self.under_way[0][0] <= now:
            packet = self.under_way.popleft()[1]
            try:
                os.write(self.to, packet)
            except OSError:
                pass


def ip(*arguments):
    subprocess.run(["ip", *arguments], check=True, stdout=subprocess.DEVNULL)


def open_device(namespace, name, address):
    device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(device, TUNSETIFF, struct.pack("16sH", name.encode(), IFF_TUN | IFF_NO_PI))
    ip("link", "set", name, "netns", namespace)
    ip("-n", namespace, "address", "add", f"{address}/24", "dev", name)
    ip("-n", namespace, "link", "set", name, "mtu", "1500", "txqueuelen", "1000", "up")
    ip("-n", namespace, "link", "set", "lo", "up")
    # The default of Linux, and of the QUIC that is measured, whatever this machine has been set to.
    ip("netns", "exec", namespace, "sh", "-c", "echo cubic > /proc/sys/net/ipv4/tcp_congestion_control")
    return device


def main():
    space_a, name_a, space_b, name_b = sys.argv[1:5]
    delay, loss, mbit = float(sys.argv[5]) / 1000, float(sys.argv[6]), float(sys.argv[7])
    a = open_device(space_a, name_a, f"{NETWORK}.1")
    b = open_device(space_b, name_b, f"{NETWORK}.2")
    rng = random.Random(20240)
    directions = {a: Direction(b, delay, loss, mbit * 125_000, rng), b: Direction(a, delay, loss, mbit * 125_000, rng)}
    print(f"{NETWORK}.2", flush=True)
    parent = os.getppid()
    while os.getppid() == parent:
        now = time.monotonic()
        due = [line.under_way[0][0] for line in directions.values() if line.under_way]
        ready, _, _ = select.select([a, b], [], [], max(0.0, min(due) - now) if due else 0.5)
        now = time.monotonic()
        for device in ready:
            for _ in range(64):
                try:
                    directions[device].put(os.read(device, 65536), now)
                except BlockingIOError:
                    break
                except OSError:
                    # The namespaces are gone, and the devices with them.
                    return
        for line in directions.values():
            line.deliver(now)


main()
