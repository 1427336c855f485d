"""Joins a show and answers every question with its first choice: python3 client.py HOST PORT CODE NAME"""
import base64, json, os, select, socket, struct, sys, time
host, port, code, name = sys.argv[1:]
sock = socket.create_connection((host, int(port)))

def read(size):
    data = b""
    while len(data) < size:
        data += sock.recv(size - len(data)) or sys.exit("The connection was lost.")
    return data

def write(opcode, payload):
    mask, size = os.urandom(4), len(payload)
    length = bytes([128 | size]) if size < 126 else struct.pack("!BH", 128 | 126, size)
    sock.sendall(bytes([128 | opcode]) + length + mask + bytes(byte ^ mask[i % 4] for i, byte in enumerate(payload)))

def say(**message): write(1, json.dumps(message).encode())

def answer(asked, now):  # The server's clock was past `now` when this came, so by the end of the sleep the question is open.
    time.sleep(max(0, asked["opens_at"] - now) / 1000)
    say(type="answer", question=asked["question"], choice=0)

key, head, message = base64.b64encode(os.urandom(16)).decode(), b"", {}
sock.sendall(f"GET /play HTTP/1.1\r\nHost: {host}:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: {key}\r\n"
             "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: klaxon.v1.json\r\n\r\n".encode())
while not head.endswith(b"\r\n\r\n"): head += read(1)
if not head.startswith(b"HTTP/1.1 101 "): sys.exit(head.decode())
say(type="join", show=code, name=name)
while message.get("type") != "end" and message.get("phase") != "ended":
    while not select.select([sock], [], [], 10)[0]: say(type="ping", sent=int(time.time() * 1000))
    opcode, size = read(2)
    size = struct.unpack("!H", read(2))[0] if size == 126 else struct.unpack("!Q", read(8))[0] if size == 127 else size
    opcode, payload = opcode & 15, read(size)
    if opcode == 8: sys.exit(f"The server closed: {int.from_bytes(payload[:2], 'big')} {payload[2:].decode()}")
    if opcode == 9: write(10, payload)
    if opcode != 1: continue
    print(payload.decode(), flush=True)
    message = json.loads(payload)
    asked = message.get("question") if message["type"] == "snapshot" and message["phase"] == "question" else message
    if message["type"] in ("snapshot", "question", "resume") and "opens_at" in asked: answer(asked, message["at"])
