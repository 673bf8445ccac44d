# SPDX-License-Identifier: MIT
"""A D-Bus client in a few lines, for tests that must send what no library would: half handshakes, garbage, messages in
one packet with the end of the handshake. Little-endian, no Hello. Not a library: what tests do not need is not here."""
import re
import socket
import struct

ROOT = '/org/freedesktop/systemd1'
MANAGER = 'org.freedesktop.systemd1.Manager'
HELLO = b'\0AUTH EXTERNAL\r\nDATA\r\nNEGOTIATE_UNIX_FD\r\nBEGIN\r\n'


def align(data, n):
    return data + b'\0' * (-len(data) % n)


def string(data, s):
    s = s.encode()
    return align(data, 4) + struct.pack('<I', len(s)) + s + b'\0'


def complete_types(signature):
    while signature:
        rest = skip(signature)
        yield signature[:len(signature) - len(rest)]
        signature = rest


def put(data, kind, value):
    """A value of one complete type; a variant is (type, value)."""
    if kind[0] in 'so':
        return string(data, value)
    if kind[0] == 'g':
        return data + bytes([len(value)]) + value.encode() + b'\0'
    if kind[0] == 'v':
        return put(put(data, 'g', value[0]), value[0], value[1])
    if kind[0] == '(':
        data = align(data, 8)
        for k, v in zip(complete_types(kind[1:-1]), value):
            data = put(data, k, v)
        return data
    if kind[0] == 'a':
        data = align(data, 4)
        start = align(data + b'\0' * 4, 8 if kind[1] in '({txd' else 1)
        items = start
        for v in value:
            items = put(items, kind[1:], v)
        return data + struct.pack('<I', len(items) - len(start)) + items[len(data) + 4:]
    if kind[0] == 't':
        return align(data, 8) + struct.pack('<Q', value)
    return align(data, 4) + struct.pack('<i' if kind[0] == 'i' else '<I', value)


def call_bytes(serial, member, signature='', args=(), path=ROOT, interface=MANAGER, body_size=None, destination=''):
    body = b''
    for kind, value in zip(complete_types(signature), args):
        body = put(body, kind, value)
    fields = b''
    for code, kind, value in ((1, 'o', path), (2, 's', interface), (3, 's', member), (6, 's', destination), (8, 'g', signature)):
        if not value:
            continue
        fields = align(fields, 8) + bytes([code, 1]) + kind.encode() + b'\0'
        if kind == 'g':
            fields += bytes([len(value)]) + value.encode() + b'\0'
        else:
            fields = string(fields, value)
    size = len(body) if body_size is None else body_size
    head = b'l\1\0\1' + struct.pack('<III', size, serial, len(fields)) + fields
    return align(head, 8) + body


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def skip_to(self, n):
        self.at += -self.at % n

    def number(self, form):
        n = struct.calcsize(form)
        self.skip_to(n)
        value, = struct.unpack_from(form, self.data, self.at)
        self.at += n
        return value

    def text(self, form):
        n = self.number(form)
        s = self.data[self.at:self.at + n].decode()
        self.at += n + 1
        return s

    def value(self, sig):
        """The value of the first complete type, and the rest of the signature."""
        c, rest = sig[0], sig[1:]
        if c in 'so':
            return self.text('<I'), rest
        if c == 'g':
            return self.text('<B'), rest
        if c == 'v':
            return self.value(self.text('<B'))[0], rest
        if c in '({':
            self.skip_to(8)
            items = []
            while rest[0] not in ')}':
                item, rest = self.value(rest)
                items.append(item)
            return tuple(items), rest[1:]
        if c == 'a':
            n = self.number('<I')
            self.skip_to(8 if rest[0] in '({xtd' else 1 if rest[0] == 'y' else 2 if rest[0] in 'nq' else 4)
            end, items, after = self.at + n, [], skip(rest)
            while self.at < end:
                items.append(self.value(rest)[0])
            return items, after
        form = {'y': '<B', 'q': '<H', 'd': '<d', 'b': '<I', 'u': '<I', 'i': '<i', 't': '<Q', 'x': '<q'}[c]
        return self.number(form), rest

    def values(self, sig):
        out = []
        while sig:
            v, sig = self.value(sig)
            out.append(v)
        return out


def skip(sig):
    """SIG behind its first complete type."""
    if sig[0] == 'a':
        return skip(sig[1:])
    if sig[0] not in '({':
        return sig[1:]
    depth = 0
    for i, c in enumerate(sig):
        depth += (c in '({') - (c in ')}')
        if depth == 0:
            return sig[i + 1:]
    raise ValueError(sig)


class Message:
    def __init__(self, head, data):
        self.kind = head[1]
        r = Reader(data)
        r.at = 12
        fields = dict(r.value('a(yv)')[0])
        r.skip_to(8)
        self.path, self.interface, self.member = fields.get(1), fields.get(2), fields.get(3)
        self.error, self.reply_to, self.sender = fields.get(4), fields.get(5), fields.get(7)
        body = Reader(data[r.at:])
        self.args = body.values(fields.get(8, ''))


class Client:
    def __init__(self, path, handshake=HELLO, first=b''):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(20)
        self.socket.connect(path)
        self.buffer, self.serial, self.seen = b'', 0, []
        self.socket.sendall(handshake + first)
        if handshake == HELLO:
            while self.buffer.count(b'\r\n') < 3:
                self.fill()
            self.greeting = self.buffer.split(b'\r\n', 3)[:3]
            self.buffer = self.buffer.split(b'\r\n', 3)[3]

    def fill(self):
        data = self.socket.recv(65536)
        if not data:
            raise ConnectionResetError('closed')
        self.buffer += data

    def read(self):
        while len(self.buffer) < 16:
            self.fill()
        size, _, fields = struct.unpack_from('<III', self.buffer, 4)
        total = 16 + fields + -fields % 8 + size
        while len(self.buffer) < total:
            self.fill()
        data, self.buffer = self.buffer[:total], self.buffer[total:]
        m = Message(data[:16], data)
        self.seen.append(m)
        return m

    def call(self, member, signature='', *args, **where):
        """The reply; signals that came before it are in .seen."""
        self.serial += 1
        serial = self.serial
        self.socket.sendall(call_bytes(serial, member, signature, args, **where))
        while True:
            m = self.read()
            if m.reply_to == serial:
                return m

    def signal(self, member):
        while True:
            m = self.read()
            if m.kind == 4 and m.member == member:
                return m

    def close(self):
        self.socket.close()


def unit_path(name):
    return ROOT + '/unit/' + ''.join(c if c.isalnum() else '_%02x' % ord(c) for c in name)

