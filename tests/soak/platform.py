"""A platform in trouble, in a process of its own: `python -m tests.soak.platform FILE`, the file of its settings.

It says its address on its first line, and ends when its standard input does: it never outlives who started it.
"""

from __future__ import annotations

import json
import re
import socket
import sys
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.soak import fates
from tests.soak.fates import COLUMNS, RESULTS, SCORES, TOKEN, Fates
from tests.soak.moodle import LINEITEM, LINEITEMS, Known, Moodle, Refused
from tests.soak.moodle import RESULTS as RESULTS_TYPE
from tests.soak.moodle import SCORE as SCORE_TYPE

FORM = "application/x-www-form-urlencoded"
COURSE = re.compile(r"/(\w+)/lineitems(?:/(\d+)/lineitem(/scores|/results)?)?")
OF_TOKEN = re.compile(r"/(\w+)/token")


@dataclass
class Answer:
    status: int = 200
    media_type: str = ""
    body: bytes = b""


class Trouble(ThreadingHTTPServer):
    """The server: a gradebook, and the fates of the requests to it."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, moodle: Moodle, draws: Fates, silence_s: float) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.moodle, self.draws, self.silence_s = moodle, draws, silence_s
        moodle.url = f"http://127.0.0.1:{self.server_port}"
        self.at_work = 0
        self.lock = threading.Lock()

    def handle_error(self, *_about: Any) -> None:
        """A worker that was killed hung up: nothing to say."""

    def report(self) -> dict[str, Any]:
        happened = [[*key, count] for key, count in sorted(self.draws.happened.items())]
        return {**self.moodle.report(), "happened": happened, "at_work": self.at_work}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Trouble

    def log_message(self, *_about: Any) -> None:
        """Nothing: the journal is what counts."""

    def do_GET(self) -> None:
        self._meet()

    def do_POST(self) -> None:
        self._meet()

    def do_PUT(self) -> None:
        self._meet()

    def _meet(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        if len(body) < length:  # who asked was killed in the middle of its words
            self.close_connection = True
            return None
        if self.path == "/report":
            return self._say(Answer(200, "application/json", json.dumps(self.server.report()).encode()))
        with self.server.lock:
            self.server.at_work += 1
        try:
            self._suffer(body, self._endpoint())
        finally:
            with self.server.lock:
                self.server.at_work -= 1
        return None

    def _endpoint(self) -> str:
        found = COURSE.fullmatch(urlsplit(self.path).path)
        if found is None:
            return TOKEN
        return {"/scores": SCORES, "/results": RESULTS}.get(found[3] or "", COLUMNS)

    def _suffer(self, body: bytes, endpoint: str) -> None:
        """Do what the request asks, or what fate has decided; the fault counts once it has happened."""
        fault = self.server.draws.draw(endpoint, self.path.split("/")[1])
        if not fault:
            return self._say(self._answer(body))
        if fault in (fates.CUT_AFTER, fates.MALFORMED):
            answer = self._answer(body)
            if answer.status >= 300:
                return self._say(answer)  # nothing was done: there is nothing to lose, or to garble
            if fault == fates.MALFORMED:
                self._say(Answer(answer.status, answer.media_type, b'{"oops": '))
            else:
                self._cut(half=answer)
        elif fault == fates.CUT_BEFORE:
            self._cut()
        elif fault in (fates.SILENCE, fates.SILENCE_THEN_DONE):
            time.sleep(self.server.silence_s)
            if fault == fates.SILENCE_THEN_DONE:
                self._answer(body)
            self._cut()
        else:
            self._say_no(fault)
        self.server.draws.note(fault, endpoint)
        return None

    def _say_no(self, fault: str) -> None:
        status = 401 if fault == fates.REFUSED_401 else int(fault[:3])
        headers = {}
        if fault == fates.LATER_503:
            # The next whole second, as a date: RFC 9110 allows both forms.
            headers["Retry-After"] = format_datetime(datetime.now(UTC) + timedelta(seconds=1), usegmt=True)
        elif fault == fates.LATER_429:
            headers["Retry-After"] = "1"
        self._say(Answer(status, "text/html", b"<h1>Trouble</h1>"), **headers)

    def _cut(self, half: Answer | None = None) -> None:
        """Hang up, in the middle of an answer where it has a body."""
        self.close_connection = True
        if half is not None and half.body:
            self._say(Answer(half.status, half.media_type, half.body), only=len(half.body) // 2)
        self.wfile.flush()
        self.connection.shutdown(socket.SHUT_RDWR)

    def _say(self, answer: Answer, only: int | None = None, **headers: str) -> None:
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.media_type or "text/plain")
        self.send_header("Content-Length", str(len(answer.body)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer.body if only is None else answer.body[:only])

    # What is asked

    def _answer(self, body: bytes) -> Answer:
        try:
            return self._carry_out(body)
        except Refused as refused:
            return Answer(refused.status, "application/json", json.dumps({"reason": str(refused)}).encode())

    def _carry_out(self, body: bytes) -> Answer:
        moodle, parts = self.server.moodle, urlsplit(self.path)
        query = dict(parse_qsl(parts.query))
        asked = OF_TOKEN.fullmatch(parts.path)
        if asked and self.command == "POST":
            self._demand_type("Content-Type", FORM)
            # Moodle's own content type for its tokens.
            return _json(moodle.token(asked[1], dict(parse_qsl(body.decode()))), "text/html; charset=utf-8")
        found = COURSE.fullmatch(parts.path)
        if found is None or query.get("type_id") != "1":
            raise moodle._wrong(404, f"{self.command} {self.path}")
        course, number, below = found[1], int(found[2] or 0), found[3] or ""
        bearer = self.headers.get("Authorization", "").removeprefix("Bearer ")
        match (self.command, bool(number), below):
            case ("GET", False, ""):
                self._demand_type("Accept", LINEITEMS)
                moodle.demand(course, bearer, "lineitem")
                return _json(moodle.list_columns(course, query), LINEITEMS)
            case ("POST", False, ""):
                self._demand_type("Content-Type", LINEITEM)
                moodle.demand(course, bearer, "lineitem")
                return _json(moodle.make_column(course, body), LINEITEM, 201)
            case ("PUT", True, ""):
                self._demand_type("Content-Type", LINEITEM)
                moodle.demand(course, bearer, "lineitem")
                return _json(moodle.change_column(course, number, body), LINEITEM)
            case ("POST", True, "/scores"):
                self._demand_type("Content-Type", SCORE_TYPE)
                moodle.demand(course, bearer, "score")
                moodle.take_score(course, number, body)
                return Answer()
            case ("GET", True, "/results"):
                self._demand_type("Accept", RESULTS_TYPE)
                moodle.demand(course, bearer, "result.readonly")
                return _json(moodle.results(course, number, query.get("user_id", "")), RESULTS_TYPE)
        raise moodle._wrong(405, f"{self.command} {self.path}")

    def _demand_type(self, header: str, wanted: str) -> None:
        if self.headers.get(header) != wanted:
            raise self.server.moodle._wrong(400, f"{header}: {self.headers.get(header)}")


def _json(body: Any, media_type: str, status: int = 200) -> Answer:
    return Answer(status, media_type, json.dumps(body).encode())


def main() -> None:
    settings = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    moodle = Moodle(Known(settings["client_id"], settings["keys"], settings["pupils"]))
    server = Trouble(moodle, Fates(settings["seed"]), settings["silence_s"])
    threading.Thread(target=server.serve_forever, args=(0.1,), daemon=True).start()
    print(moodle.url, flush=True)  # how it says where it is
    sys.stdin.read()


if __name__ == "__main__":
    main()
