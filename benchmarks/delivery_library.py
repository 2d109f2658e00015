"""The library's own client, in a loop, as it is usually used. `python benchmarks/delivery_library.py URL KIND SCORES`.

`usual`: `put_grade` with a column that is known by its tag, which the library looks up, or makes, for each score.
`kept`: the columns' addresses are found once and kept: kinder than what is usual. Prints what it cost as JSON.
"""

from __future__ import annotations

import json
import sys
import time
import urllib.request
from collections import Counter
from datetime import UTC, datetime

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from pylti1p3.assignments_grades import AssignmentsGradesService
from pylti1p3.contrib.flask.service_connector import FlaskServiceConnector
from pylti1p3.grade import Grade
from pylti1p3.lineitem import LineItem
from pylti1p3.registration import Registration

AGS = "https://purl.imsglobal.org/spec/lti-ags/scope/"
COLUMNS = 10
COMMENT = "maîtrisée en situation variée ; bien maîtrisée en situation simple ; 6 situations, la dernière le 19 mars"


def registration(url: str) -> Registration:
    """The platform, with a key of ours."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    made = Registration().set_issuer(url).set_client_id("client").set_auth_token_url(f"{url}/token")
    return made.set_tool_private_key(pem)


def grade(number: int) -> Grade:
    """A score, its comment that of Spirale."""
    made = Grade().set_user_id(f"pupil-{number // COLUMNS}").set_comment(COMMENT)
    made.set_timestamp(datetime.now(UTC).isoformat(timespec="milliseconds"))
    made.set_activity_progress("Completed").set_grading_progress("FullyGraded")
    return made.set_score_given(1 + number % 4).set_score_maximum(4)


def column(number: int) -> LineItem:
    """The column of a score, known by its tag."""
    tag = f"C{number % COLUMNS}"
    return LineItem().set_tag(tag).set_resource_id(tag).set_label(f"{tag} · Compétence").set_score_maximum(4)


def service(of: Registration, url: str, course: str) -> AssignmentsGradesService:
    """What the library gives for a launch."""
    scopes = [AGS + name for name in ("lineitem", "result.readonly", "score")]
    claim = {"scope": scopes, "lineitems": f"{url}/courses/{course}/lineitems"}
    return AssignmentsGradesService(FlaskServiceConnector(of), claim)  # type: ignore[arg-type]


def main() -> None:
    url, kind, scores = sys.argv[1], sys.argv[2], int(sys.argv[3])
    platform = registration(url)
    service(platform, url, "warm").put_grade(grade(0), column(0))
    FlaskServiceConnector.access_tokens.clear()
    before = asked(url)
    ags = service(platform, url, "1")
    start, cpu = time.monotonic(), time.process_time()
    kept: dict[str, LineItem] = {}
    for number in range(scores):
        where = column(number)
        if kind == "kept":
            tag = str(where.get_tag())
            if tag not in kept:
                kept[tag] = ags.find_or_create_lineitem(where)
            where = kept[tag]
        ags.put_grade(grade(number), where)
    cost = {"seconds": time.monotonic() - start, "cpu_s": time.process_time() - cpu}
    after = asked(url)
    after.subtract({name: count for name, count in before.items() if name != "held"})
    print(json.dumps({**cost, "asked": after}))


def asked(url: str) -> Counter[str]:
    """What the platform was asked so far, and what it holds."""
    with urllib.request.urlopen(f"{url}/counts") as answer:
        return Counter(json.loads(answer.read()))


if __name__ == "__main__":
    main()
