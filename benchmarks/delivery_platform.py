"""A platform's gradebook that costs next to nothing. `python benchmarks/delivery_platform.py PORT`.

One process, one thread, HTTP/1.1 with connections kept alive. It checks the bearer token of each request and its scope,
refuses (409) a score that is not newer than the one it holds for the same column and person, and keeps the newest.
`/control?ms=100` empties it and sets how late it answers; `/counts` says what it was asked and what it holds.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections import Counter
from typing import Any
from urllib.parse import parse_qs, urlsplit

AGS = "https://purl.imsglobal.org/spec/lti-ags/scope/"
TEXTS = {200: "OK", 201: "Created", 401: "Unauthorized", 404: "Not Found", 409: "Conflict"}
Said = tuple[int, Any]


class Gradebook:
    """Columns and grades of all courses."""

    def __init__(self, base: str) -> None:
        self.base, self.late_s = base, 0.0
        self.empty()

    def empty(self) -> None:
        """Forget everything but the address."""
        self.counts: Counter[str] = Counter()
        self.tokens: dict[str, str] = {}
        self.columns: dict[str, dict[str, Any]] = {}
        self.of_course: dict[str, list[dict[str, Any]]] = {}
        self.grades: dict[str, dict[str, dict[str, Any]]] = {}

    def answer(self, method: str, target: str, token: str, body: bytes) -> Said:
        """What a request is answered."""
        parts = urlsplit(target)
        path = parts.path
        if path == "/token":
            return self._token(body)
        *_course, last = path.split("/")
        if last == "scores":
            return self._scored("score", token, self._score, path.removesuffix("/scores"), body)
        if last == "results":
            return self._scored("result.readonly", token, self._results, path.removesuffix("/results"), body)
        if last == "lineitems":
            do = self._make if method == "POST" else self._list
            return self._scored("lineitem", token, do, target, body)
        return 404, None

    def _scored(self, scope: str, token: str, do: Any, where: str, body: bytes) -> Said:
        if AGS + scope not in self.tokens.get(token, ""):
            self.counts["refused"] += 1
            return 401, None
        said: Said = do(where, body)
        return said

    def _token(self, body: bytes) -> Said:
        self.counts["tokens"] += 1
        scope = parse_qs(body.decode())["scope"][0]
        token = f"token-{len(self.tokens)}"
        self.tokens[token] = scope
        return 200, {"access_token": token, "token_type": "Bearer", "expires_in": 3600, "scope": scope}

    def _list(self, target: str, _body: bytes) -> Said:
        self.counts["columns listed"] += 1
        parts = urlsplit(target)
        asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
        found = self.of_course.get(parts.path, [])
        if "tag" in asked:
            found = [c for c in found if (c["tag"], c["resourceId"]) == (asked["tag"], asked["resource_id"])]
        return 200, found

    def _make(self, target: str, body: bytes) -> Said:
        self.counts["columns made"] += 1
        path = f"{target}/{len(self.columns) + 1}/lineitem"
        column = {**json.loads(body), "id": self.base + path}
        self.columns[path] = column
        self.of_course.setdefault(target, []).append(column)
        self.grades[path] = {}
        return 201, column

    def _score(self, path: str, body: bytes) -> Said:
        self.counts["scores"] += 1
        if path not in self.grades:
            return 404, None
        score, held = json.loads(body), self.grades[path]
        sub = str(score["userId"])
        if sub in held and held[sub]["timestamp"] >= score["timestamp"]:
            self.counts["conflicts"] += 1
            return 409, None
        held[sub] = score
        return 200, None

    def _results(self, path: str, _body: bytes) -> Said:
        self.counts["results read"] += 1
        if path not in self.grades:
            return 404, None
        column = self.columns[path]
        return 200, [
            {
                "userId": sub,
                "resultScore": one["scoreGiven"],
                "resultMaximum": column["scoreMaximum"],
                "comment": one["comment"],
            }
            for sub, one in self.grades[path].items()
        ]

    def held(self) -> int:
        """How many grades there are."""
        return sum(len(grades) for grades in self.grades.values())


class Connection(asyncio.Protocol):
    """One kept-alive connection."""

    def __init__(self, gradebook: Gradebook) -> None:
        self._gradebook, self._said = gradebook, b""

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self._gradebook.counts["connections"] += 1

    def data_received(self, data: bytes) -> None:
        self._said += data
        while (end := self._said.find(b"\r\n\r\n")) >= 0:
            first, *lines = self._said[:end].decode("latin-1").split("\r\n")
            headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
            whole = end + 4 + int(headers.get("content-length", 0))
            if len(self._said) < whole:
                return
            body, self._said = self._said[end + 4 : whole], self._said[whole:]
            self._answer(*first.split(" ")[:2], headers.get("authorization", "")[7:], body)

    def _answer(self, method: str, target: str, token: str, body: bytes) -> None:
        book, late_s = self._gradebook, 0.0
        if target.startswith("/control"):
            book.empty()
            book.late_s = int(target.partition("=")[2]) / 1000
            said: Said = (200, {})
        elif target == "/counts":
            said = (200, {**book.counts, "held": book.held()})
        else:
            said, late_s = book.answer(method, target, token, body), book.late_s
        status, value = said
        text = b"" if value is None else json.dumps(value).encode()
        head = f"HTTP/1.1 {status} {TEXTS[status]}\r\nContent-Type: application/json\r\n"
        whole = f"{head}Content-Length: {len(text)}\r\n\r\n".encode() + text
        if late_s:
            asyncio.get_running_loop().call_later(late_s, self._transport.write, whole)
        else:
            self._transport.write(whole)


async def serve(port: int) -> None:
    """Answer for ever."""
    gradebook = Gradebook(f"http://127.0.0.1:{port}")
    server = await asyncio.get_running_loop().create_server(lambda: Connection(gradebook), "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
