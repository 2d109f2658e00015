"""pylti1p3, fitted to our rules.

It brings the skeleton of a launch and of the answers; its weak points (replays, missing claims, token cache, no
time limits: see docs/decisions/0003-pylti1p3.md) are replaced here by subclassing, so that the rest of the package
reads as ours.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from pylti1p3.cookie import CookieService
from pylti1p3.deep_link import DeepLink
from pylti1p3.deployment import Deployment as LibraryDeployment
from pylti1p3.message_launch import MessageLaunch
from pylti1p3.message_validators.resource_message import ResourceMessageValidator
from pylti1p3.oidc_login import OIDCLogin
from pylti1p3.registration import Registration
from pylti1p3.request import Request
from pylti1p3.session import SessionService
from pylti1p3.tool_config import ToolConfAbstract

from ..errors import LaunchRefused, Refusal
from .claims import DEEP_LINKING_REQUEST, LTI, NOBODY, SUBMISSION_REVIEW_REQUEST
from .keysets import KeySets
from .models import Platform

ALGORITHMS = ("RS256", "RS384", "RS512")
NO_REQUESTS: Any = object()


def registration_of(platform: Platform) -> Registration:
    """The library's view of a platform."""
    return (
        Registration()
        .set_issuer(platform.issuer)
        .set_client_id(platform.client_id)
        .set_auth_login_url(platform.auth_login_url)
        .set_auth_token_url(platform.auth_token_url)
        .set_auth_audience(platform.audience)
        .set_key_set_url(platform.jwks_url)
    )


class Parameters(Request):
    """The parameters of a request, as the library wants them."""

    def __init__(self, values: dict[str, str]) -> None:
        self.values = values

    @property
    def session(self) -> dict[str, Any]:
        return {}

    def is_secure(self) -> bool:
        return True

    def get_param(self, key: str) -> str:
        return self.values.get(key, "")


class OnePlatform(ToolConfAbstract):
    """Knows the platform of this login and nothing else, so that no launch can borrow another's."""

    def __init__(self, platform: Platform) -> None:
        self.platform = platform
        self.registration = registration_of(platform)

    def check_iss_has_one_client(self, iss: str) -> bool:
        return False

    def find_registration_by_issuer(self, iss: str, *args: Any, **kwargs: Any) -> Registration:
        raise LaunchRefused(Refusal.UNKNOWN_PLATFORM, "iss")

    def find_registration_by_params(
        self, iss: str, client_id: str, *args: Any, **kwargs: Any
    ) -> Registration:
        if iss != self.platform.issuer:
            raise LaunchRefused(Refusal.BAD_TOKEN, "iss")
        return self.registration

    def find_deployment(self, iss: str, deployment_id: str) -> LibraryDeployment | None:
        return None

    def find_deployment_by_params(
        self, iss: str, deployment_id: str, client_id: str, *args: Any, **kwargs: Any
    ) -> LibraryDeployment | None:
        for deployment in self.platform.deployments:
            if deployment.deployment_id == deployment_id and deployment.enabled:
                return LibraryDeployment().set_deployment_id(deployment_id)
        raise LaunchRefused(Refusal.UNKNOWN_DEPLOYMENT, "deployment_id")


class NoCookies(CookieService):
    """The proof of the browser is ours (`login`); the library sets and reads no cookie."""

    def get_cookie(self, name: str) -> str | None:
        return None

    def set_cookie(self, name: str, value: str | int, exp: int | None = 3600) -> None:
        return None


class ConsumedLogin(SessionService):
    """The login row, already consumed by `launch`: its state is proven, its nonce is compared here."""

    def __init__(self, nonce_is_right: Any = None) -> None:
        self._nonce_is_right = nonce_is_right

    def save_nonce(self, nonce: str) -> None:
        return None

    def check_nonce(self, nonce: str) -> bool:
        return isinstance(nonce, str) and bool(self._nonce_is_right(nonce))

    def check_state_is_valid(self, state: str, id_token_hash: str) -> bool:
        return True

    def set_state_valid(self, state: str, id_token_hash: str) -> None:
        return None

    def save_launch_data(self, key: str, jwt_body: Any) -> None:
        """Nothing of the launch is stored here: `courses` keeps what the tool needs, and only that."""


class Login(OIDCLogin):
    """Builds the authorisation request with a state and a nonce of ours."""

    def __init__(self, parameters: dict[str, str], platform: Platform, state: str, nonce: str) -> None:
        super().__init__(
            Parameters(parameters),
            OnePlatform(platform),
            session_service=ConsumedLogin(),
            cookie_service=NoCookies(),
        )
        self._state, self._nonce = state, nonce

    def _get_uuid(self) -> str:
        return self._state

    def _generate_nonce(self) -> str:
        return self._nonce

    def authorisation_url(self, redirect_uri: str) -> tuple[str, str]:
        """The platform's address to go to, and the state as it was sent."""
        return self._prepare_redirect_url(redirect_uri), f"state-{self._state}"


class Message(MessageLaunch):
    """An id_token, verified with the platform's key found by `KeySets` and with every option of PyJWT on."""

    def __init__(
        self,
        parameters: dict[str, str],
        platform: Platform,
        keysets: KeySets,
        leeway_s: int,
        nonce_is_right: Any,
        before_asking: Callable[[], None],
    ) -> None:
        super().__init__(
            Parameters(parameters),
            OnePlatform(platform),
            session_service=ConsumedLogin(nonce_is_right),
            cookie_service=NoCookies(),
            # It would make a session of `requests` for each launch; keys come from `KeySets`.
            requests_session=NO_REQUESTS,
        )
        self._platform, self._keysets, self._leeway_s = platform, keysets, leeway_s
        self._before_asking = before_asking
        self.signed_claims: dict[str, Any] = {}
        """What the platform signed, even where it is refused afterwards; empty before the signature was right."""

    def _get_request_param(self, key: str) -> str:
        return self._request.get_param(key)

    def get_client_id(self) -> str:
        """Ours when the audience holds it, wherever in the list (the library takes the first)."""
        audience = self._jwt.get("body", {}).get("aud")
        listed = audience if isinstance(audience, list) else [audience]
        if self._platform.client_id not in listed:
            raise LaunchRefused(Refusal.BAD_TOKEN, "aud")
        return self._platform.client_id

    def validate_jwt_signature(self) -> Message:
        header = self._jwt["header"]
        if header.get("alg") not in ALGORITHMS:
            raise LaunchRefused(Refusal.BAD_SIGNATURE, "alg")
        kid = header.get("kid")
        if not isinstance(kid, str) or not kid:
            raise LaunchRefused(Refusal.BAD_SIGNATURE, "kid missing")
        needed = ["exp", "iat", "nonce", "iss", "aud"]
        body = jwt.decode(
            self._get_id_token(),
            self._keysets.find(self._platform.jwks_url, kid, self._before_asking),
            algorithms=[header["alg"]],
            audience=self._platform.client_id,
            issuer=self._platform.issuer,
            leeway=self._leeway_s,
            options={
                "require": needed if self._platform.anonymous else [*needed, "sub"],
                "verify_sub": not self._platform.anonymous,
            },
        )
        self._jwt["body"] = self.signed_claims = body
        if body.get("sub") in (None, ""):
            if not self._platform.anonymous:
                raise LaunchRefused(Refusal.NO_PERSON, "sub")
            body["sub"] = NOBODY  # the library wants one
        return self

    def validate_message(self) -> Message:
        """`claims` reads two messages less strictly than the library, which wants links to be taken in the one (here
        a page says that they are not), and a column in the other (Moodle names none where a link has two).
        """
        body = self._get_jwt_body()
        if body.get(LTI + "message_type") in (DEEP_LINKING_REQUEST, SUBMISSION_REVIEW_REQUEST):
            ResourceMessageValidator().run_common_validators(body)
        else:
            super().validate_message()
        return self


class DeepLinkAnswer(DeepLink):
    """A deep-linking response signed with a key object; `data` is echoed if and only if it was sent.

    `said` are claims beside the items: what the platform may show to the person.
    """

    def __init__(
        self,
        platform: Platform,
        deployment_id: str,
        settings: dict[str, Any],
        said: dict[str, str],
        kid: str,
        key: RSAPrivateKey,
    ) -> None:
        super().__init__(registration_of(platform), deployment_id, settings)
        self._said, self._kid, self._key = said, kid, key

    def encode_jwt(self, message: dict[str, Any]) -> str:
        data = "https://purl.imsglobal.org/spec/lti-dl/claim/data"
        if message.get(data) is None:
            message.pop(data, None)
        return jwt.encode(message | self._said, self._key, algorithm="RS256", headers={"kid": self._kid})
