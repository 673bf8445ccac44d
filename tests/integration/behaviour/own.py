#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""own.py NAME [FILE]: owns NAME on the bus of DBUS_SYSTEM_BUS_ADDRESS, once FILE exists, until it is killed. Not a test: a service
under test. As much of D-Bus as that takes, by hand, so that nothing but Python is needed."""
import os
import socket
import struct
import sys
import time


def field(code, kind, value):
    text = value.encode()
    body = struct.pack('B', len(text)) if kind == 'g' else struct.pack('<I', len(text))
    return struct.pack('BBcB', code, 1, kind.encode(), 0) + body + text + b'\0'


def call(serial, member, signature='', body=b''):
    head = b''
    for f in (field(1, 'o', '/org/freedesktop/DBus'), field(2, 's', 'org.freedesktop.DBus'), field(3, 's', member),
              field(6, 's', 'org.freedesktop.DBus'), *([field(8, 'g', signature)] if signature else [])):
        head += b'\0' * (-len(head) % 8) + f
    return (struct.pack('<cBBBIII', b'l', 1, 0, 1, len(body), serial, len(head)) + head + b'\0' * (-len(head) % 8) + body)


name = sys.argv[1].encode()
bus = socket.socket(socket.AF_UNIX)
bus.connect(os.environ.get('DBUS_SYSTEM_BUS_ADDRESS', 'unix:path=/run/dbus/system_bus_socket').partition('path=')[2].partition(',')[0])
bus.send(b'\0AUTH EXTERNAL ' + str(os.getuid()).encode().hex().encode() + b'\r\n')
bus.recv(200)
bus.send(b'BEGIN\r\n' + call(1, 'Hello'))
while len(sys.argv) > 2 and not os.path.exists(sys.argv[2]):
    time.sleep(0.02)
bus.send(call(2, 'RequestName', 'su', struct.pack('<I', len(name)) + name + b'\0' + b'\0' * (-(len(name) + 1) % 4) + struct.pack('<I', 0)))
while bus.recv(4096):
    pass
