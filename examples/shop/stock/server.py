"""How much of each product is left. GET /stock returns it, POST /stock/<product> takes one."""

import json
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock

stock = {"mug": 12, "teapot": 4, "bowl": 9, "plate": 16, "jug": 5, "vase": 2}
lock = Lock()


class Stock(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if self.path == "/healthz":
            self.answer(200, {"ok": True})
        elif self.path == "/stock":
            self.answer(200, stock)
        else:
            self.answer(404, {"error": "not found"})

    def do_POST(self):
        product = self.path.removeprefix("/stock/")
        with lock:
            left = stock.get(product)
            if left:
                stock[product] = left - 1
        if left is None:
            self.answer(404, {"error": "no such product"})
        elif left == 0:
            self.answer(409, {"error": "sold out"})
        else:
            print(f"{product}: {left - 1} left", flush=True)
            self.answer(200, {"left": left - 1})

    def answer(self, status, value):
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_request(self, *_):
        pass  # What is sold is printed, not who asks.


address = (os.environ.get("HOST", "127.0.0.1"), int(os.environ["PORT"]))
print(f"{sum(stock.values())} pieces in stock, at port {address[1]}", flush=True)
try:
    ThreadingHTTPServer(address, Stock).serve_forever()
except KeyboardInterrupt:
    pass
