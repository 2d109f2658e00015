"""What CASE 1.1 asks of its objects, as JSON Schema: each object closed, nothing null, formats checked.

Source of the facts: 1EdTech CASE 1.1, information model and REST/JSON binding (the `…DType` of its OpenAPI). Stricter
than it in what Spirale writes anyway: a text is never blank, a list never empty, nothing is extended.
"""

from __future__ import annotations

import re
from datetime import date, datetime
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from jsonschema import Draft202012Validator, FormatChecker

Schema = dict[str, Any]

# ----- simple values -----

TEXT: Schema = {"type": "string", "pattern": r"\S"}
LINE: Schema = {"type": "string", "pattern": r"^[^\t\r\n]*\S[^\t\r\n]*$"}
UUID: Schema = {"type": "string", "format": "uuid"}
URI: Schema = {"type": "string", "format": "uri"}
DAY: Schema = {"type": "string", "format": "date"}
MOMENT: Schema = {"type": "string", "format": "date-time"}
NUMBER: Schema = {"type": "number"}
WHOLE: Schema = {"type": "integer", "minimum": 0, "maximum": 2**31 - 1}


def one_of(*values: str) -> Schema:
    return {"type": "string", "enum": list(values)}


def or_extended(*values: str) -> Schema:
    """An enumeration that may be extended by terms of one's own."""
    return {"anyOf": [one_of(*values), {"type": "string", "pattern": r"^ext:[A-Za-z0-9._-]+$"}]}


def many(schema: Schema) -> Schema:
    return {"type": "array", "items": schema, "minItems": 1}


def closed(required: Schema, optional: Schema | None = None) -> Schema:
    """An object with these properties and no other."""
    return {
        "type": "object",
        "properties": {**required, **(optional or {})},
        "required": list(required),
        "additionalProperties": False,
    }


# ----- the objects -----

LINK = closed({"title": LINE, "identifier": UUID, "uri": URI})
NODE = closed({"title": LINE, "identifier": TEXT, "uri": URI}, {"targetType": or_extended("CASE")})
NAMED = {"identifier": UUID, "uri": URI, "lastChangeDateTime": MOMENT}
STATUS = {"statusStartDate": DAY, "statusEndDate": DAY}
SUBJECT = {"subject": many(LINE), "subjectURI": many(LINK)}

_DOCUMENT = (
    {**NAMED, "creator": LINE, "title": LINE},
    {
        **STATUS,
        **SUBJECT,
        "caseVersion": one_of("1.1"),
        "frameworkType": LINE,
        "officialSourceURL": URI,
        "publisher": LINE,
        "description": TEXT,
        "language": LINE,
        "version": LINE,
        "adoptionStatus": LINE,
        "licenseURI": LINK,
        "notes": TEXT,
    },
)
_ITEM = (
    {**NAMED, "fullStatement": TEXT},
    {
        **STATUS,
        **SUBJECT,
        "alternativeLabel": LINE,
        "CFItemType": LINE,
        "CFItemTypeURI": LINK,
        "humanCodingScheme": LINE,
        "listEnumeration": LINE,
        "abbreviatedStatement": LINE,
        "conceptKeywords": many(LINE),
        "conceptKeywordsURI": LINK,
        "educationLevel": many(LINE),
        "language": LINE,
        "licenseURI": LINK,
        "notes": TEXT,
    },
)
_ASSOCIATION = (
    {
        **NAMED,
        "associationType": or_extended(
            "isChildOf",
            "isPeerOf",
            "isPartOf",
            "exactMatchOf",
            "precedes",
            "isRelatedTo",
            "replacedBy",
            "exemplar",
            "hasSkillLevel",
            "isTranslationOf",
        ),
        "originNodeURI": NODE,
        "destinationNodeURI": NODE,
    },
    {"sequenceNumber": WHOLE, "CFAssociationGroupingURI": LINK, "notes": TEXT},
)


def _alone(parts: tuple[Schema, Schema], required: Schema, optional: Schema) -> Schema:
    """The object as it is fetched by itself: it says what holds it."""
    return closed({**parts[0], **required}, {**parts[1], **optional})


ITEM = _alone(_ITEM, {"CFDocumentURI": LINK}, {})
ITEM_TYPE = closed({**NAMED, "title": LINE, "description": TEXT, "hierarchyCode": LINE}, {"typeCode": LINE})
GROUPING = closed({**NAMED, "title": LINE}, {"description": TEXT})
LEVEL = closed(
    NAMED,
    {
        "description": TEXT,
        "quality": LINE,
        "score": NUMBER,
        "feedback": TEXT,
        "position": WHOLE,
        "rubricCriterionId": UUID,
    },
)
CRITERION = closed(
    NAMED,
    {
        "category": LINE,
        "description": TEXT,
        "CFItemURI": LINK,
        "weight": NUMBER,
        "position": WHOLE,
        "rubricId": UUID,
        "CFRubricCriterionLevels": many(LEVEL),
    },
)
RUBRIC = closed(NAMED, {"title": LINE, "description": TEXT, "CFRubricCriteria": many(CRITERION)})
_CODE = closed(
    {
        "imsx_codeMinorFieldName": LINE,
        "imsx_codeMinorFieldValue": one_of(
            "forbidden",
            "fullsuccess",
            "internal_server_error",
            "invalid_selection_field",
            "invalid_sort_field",
            "invalid_uuid",
            "server_busy",
            "unauthorised_request",
            "unknownobject",
        ),
    }
)

SCHEMAS: dict[str, Schema] = {
    "CFPackages": closed(
        {"CFDocument": closed(*_DOCUMENT)},
        {
            "CFItems": many(closed(*_ITEM)),
            "CFAssociations": many(closed(*_ASSOCIATION)),
            "CFDefinitions": closed(
                {}, {"CFItemTypes": many(ITEM_TYPE), "CFAssociationGroupings": many(GROUPING)}
            ),
            "CFRubrics": many(RUBRIC),
        },
    ),
    "CFDocuments": _alone(_DOCUMENT, {"CFPackageURI": LINK}, {}),
    "CFItems": ITEM,
    "CFAssociations": _alone(_ASSOCIATION, {}, {"CFDocumentURI": LINK}),
    "CFItemAssociations": closed({"CFItem": ITEM, "CFAssociations": many(closed(*_ASSOCIATION))}),
    "CFItemTypes": closed({"CFItemTypes": many(ITEM_TYPE)}),
    "CFAssociationGroupings": GROUPING,
    "CFRubrics": RUBRIC,
    # Not answers of the specification, which has no address for these two objects of its own.
    "CFRubricCriteria": CRITERION,
    "CFRubricCriterionLevels": LEVEL,
    "imsx_StatusInfo": closed(
        {
            "imsx_codeMajor": one_of("failure", "processing", "success", "unsupported"),
            "imsx_severity": one_of("error", "status", "warning"),
            "imsx_description": TEXT,
        },
        {"imsx_codeMinor": closed({"imsx_codeMinorField": many(_CODE)})},
    ),
}
"""The answer at each address, by the last part but one; `CFDocumentSet` is that of `/CFDocuments`."""
SCHEMAS["CFDocumentSet"] = closed({"CFDocuments": many(SCHEMAS["CFDocuments"])})

# ----- checking -----

FORMATS = FormatChecker(formats=())


@FORMATS.checks("uuid")
def is_uuid(value: object) -> bool:
    """A UUID as CASE writes it: lower case, of a version and a variant that exist."""
    pattern = r"[0-9a-f]{8}-[0-9a-f]{4}-[1-5][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
    return not isinstance(value, str) or re.fullmatch(pattern, value) is not None


@FORMATS.checks("uri")
def is_uri(value: object) -> bool:
    """An absolute address of the web, without a space."""
    if not isinstance(value, str):
        return True
    parts = urlsplit(value)
    return parts.scheme in ("http", "https") and bool(parts.netloc) and not re.search(r"\s", value)


@FORMATS.checks("date", raises=ValueError)
def is_date(value: object) -> bool:
    return not isinstance(value, str) or date.fromisoformat(value).isoformat() == value


@FORMATS.checks("date-time", raises=ValueError)
def is_moment(value: object) -> bool:
    """A date and a time, with its offset."""
    if not isinstance(value, str):
        return True
    return "T" in value and datetime.fromisoformat(value).tzinfo is not None


@cache
def _validator(name: str) -> Draft202012Validator:
    Draft202012Validator.check_schema(SCHEMAS[name])
    return Draft202012Validator(SCHEMAS[name], format_checker=FORMATS)


def problems(value: object, name: str = "CFPackages") -> list[str]:
    """What is wrong with an answer, one line each: the path, then what."""
    found = _validator(name).iter_errors(value)
    return sorted(f"{error.json_path}: {error.message[:200]}" for error in found)
