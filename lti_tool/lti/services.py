"""Calling a platform's services with a token: the common part of `ags` and `nrps`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin, urlsplit, urlunsplit

from sqlalchemy.orm import Session

from ..config import Config
from ..errors import PlatformRefused
from .http import Answer, ask
from .keys import signing_key
from .models import Platform
from .tokens import Caller, Tokens

MOST_PAGES = 200


@dataclass(frozen=True)
class Service:
    """A platform, ready to be asked. Holds no database session."""

    caller: Caller
    tokens: Tokens

    def request(
        self,
        method: str,
        url: str,
        scopes: tuple[str, ...],
        *,
        accept: str = "*/*",
        content_type: str = "",
        body: bytes | None = None,
    ) -> Answer:
        """One request with a token; a token that is no longer taken is replaced once.

        Raises `PlatformDelayed` or `PlatformRefused`.
        """
        token = self.tokens.get(self.caller, scopes)
        headers = {"Accept": accept}
        if content_type:
            headers["Content-Type"] = content_type
        for last in (False, True):
            headers["Authorization"] = f"Bearer {token}"
            try:
                return ask(method, url, headers=headers, data=body, timeout_s=self.caller.timeout_s)
            except PlatformRefused as error:
                if error.status != 401 or last:
                    raise
            self.tokens.drop(self.caller, scopes, token)
            token = self.tokens.get(self.caller, scopes)
        raise AssertionError("unreachable")

    def pages(self, url: str, scopes: tuple[str, ...], accept: str) -> Iterator[Any]:
        """The JSON of a list, page after page; never in a circle, never to another host or in clear with our token.

        Behind a proxy a platform may think that it is asked by http: the scheme stays that of the first page.
        """
        seen: set[str] = set()
        scheme, host, *_rest = urlsplit(url)
        current: str | None = url
        while current and current not in seen:
            if len(seen) >= MOST_PAGES or urlsplit(current).netloc != host:
                raise PlatformRefused("the list does not end")
            seen.add(current)
            answer = self.request("GET", current, scopes, accept=accept)
            yield answer.json()
            current = _following(current, answer.next_url, scheme) if answer.next_url else None


def _following(url: str, link: str, scheme: str) -> str:
    """The address of the next page, by the same scheme; what is none is no page of the list."""
    try:
        return urlunsplit(urlsplit(urljoin(url, link))._replace(scheme=scheme))
    except ValueError as error:
        raise PlatformRefused("the list does not end") from error


def service_of(session: Session, platform: Platform, tokens: Tokens, config: Config) -> Service:
    """The platform as a service; reads our key, so it needs the database: call it before the request."""
    kid, key = signing_key(session, config.secret_key)
    caller = Caller(
        platform_id=platform.id,
        client_id=platform.client_id,
        token_url=platform.auth_token_url,
        audience=platform.audience,
        kid=kid,
        key=key,
        timeout_s=config.lti.http_timeout_s,
        family=platform.family,
    )
    return Service(caller, tokens)
