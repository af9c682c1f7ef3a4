"""JSON over HTTP for the applications beside this file, on 127.0.0.1, port REST_PORT."""

import json
import os
import re

from os_ken.lib import hub


class Refused(Exception):
    """Answered with 400 and its own words."""


def route(method, path):
    """Names the requests that a method of the application answers; `{name}` in `path` becomes an argument.

    The method is called with the request's body as `body` beside these, and returns what is answered.
    """

    def mark(function):
        function.route = (method, re.compile(re.sub(r"{(\w+)}", r"(?P<\1>[^/]+)", path)))
        return function

    return mark


def serve(application):
    methods = [getattr(application, name) for name in dir(application)]
    routes = [(*m.route, m) for m in methods if hasattr(m, "route")]

    def answer(environ):
        for method, path, function in routes:
            match = path.fullmatch(environ["PATH_INFO"])
            if match is None or method != environ["REQUEST_METHOD"]:
                continue
            text = environ["wsgi.input"].read()
            try:
                return "200 OK", function(**match.groupdict(), body=json.loads(text) if text else {})
            except Refused as refused:
                return "400 Bad Request", {"refused": str(refused)}
        return "404 Not Found", {"refused": "no such path"}

    def handle(environ, start_response):
        status, value = answer(environ)
        start_response(status, [("Content-Type", "application/json")])
        return [json.dumps(value).encode()]

    hub.spawn(hub.WSGIServer(("127.0.0.1", int(os.environ["REST_PORT"])), handle).serve_forever)
