"""Asks a Kafka broker for its metadata: `metadata.py HOST PORT`. Exits with 0 once a broker of the cluster is named in
the answer. An open port says little; a broker that answers this serves clients."""

import socket
import struct
import sys

METADATA, VERSION = 3, 1
TIMEOUT_S = 2


def string(text):
    raw = text.encode()
    return struct.pack(">h", len(raw)) + raw


def read(sock, size):
    data = b""
    while len(data) < size:
        more = sock.recv(size - len(data))
        if not more:
            raise OSError("the broker closed the connection")
        data += more
    return data


def main(host, port):
    # Header: which request, its version, a number to recognise the answer by, who asks. Body: no topics.
    request = struct.pack(">hhi", METADATA, VERSION, 1) + string("antiphon") + struct.pack(">i", 0)
    with socket.create_connection((host, int(port)), TIMEOUT_S) as sock:
        sock.settimeout(TIMEOUT_S)
        sock.sendall(struct.pack(">i", len(request)) + request)
        (size,) = struct.unpack(">i", read(sock, 4))
        answer = read(sock, size)
    correlation, brokers = struct.unpack_from(">ii", answer)
    return 0 if correlation == 1 and brokers > 0 else 1


try:
    sys.exit(main(*sys.argv[1:]))
except OSError as error:
    print(f"no answer: {error}", file=sys.stderr)
    sys.exit(1)
