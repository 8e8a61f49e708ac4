"""A receiver of webhooks over HTTPS, which verifies each by the library of the standard. It refuses
the first attempts of the users whose names begin with "slow", and prints a line for each event that
it takes. Usage: receiver.py CERTIFICATE KEY, with WEBHOOK_SECRET"""

import collections
import http.server
import json
import os
import ssl
import sys
import threading

import standardwebhooks

REFUSALS = 2

webhook = standardwebhooks.Webhook(os.environ["WEBHOOK_SECRET"])
attempts = collections.Counter()
lock = threading.Lock()


class Receiver(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        with lock:
            self.send_response(self.take(body))
        self.send_header("Content-Length", "0")
        self.end_headers()

    def take(self, body: bytes) -> int:
        try:
            event = webhook.verify(body, dict(self.headers))
        except standardwebhooks.WebhookVerificationError:
            print("unverified", flush=True)
            return 401
        key = event.get("user_id") or event["data"]["rule"]["rule_id"]
        if key.startswith("slow"):
            attempts[key] += 1
            if attempts[key] <= REFUSALS:
                return 503
        line = {"id": self.headers["webhook-id"], "key": key, "sequence": event["sequence"], "event": event}
        print(json.dumps(line), flush=True)
        return 204

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    def handle_error(self, *_):
        pass  # the sender was killed


server = Server(("127.0.0.1", 0), Receiver)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[1], sys.argv[2])
server.socket = context.wrap_socket(server.socket, server_side=True)
print(server.server_address[1], flush=True)
server.serve_forever()
