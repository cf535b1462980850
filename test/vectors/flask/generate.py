"""Writes cookies.json: session cookies as Flask writes them. Run it with a Python that has Flask 2.2 or later."""

import hashlib
import json
import uuid
from datetime import datetime, timezone
from pathlib import Path
from unittest.mock import patch

from flask import Flask
from flask.sessions import SecureCookieSessionInterface
from itsdangerous import TimestampSigner
from markupsafe import Markup

NOW = 1_795_176_000
KEY = "vectors only: 9f0c1d5be7a24386"
OLD_KEY = "vectors only: 41bb7e0d92c8f5a3"


def cookie_of(session, key=KEY, salt=None, digest=None, signed_at=NOW):
    """What Flask sends as the value of its session cookie."""
    app = Flask("vectors")
    app.secret_key = key
    interface = SecureCookieSessionInterface()
    if salt is not None:
        interface.salt = salt
    if digest is not None:
        interface.digest_method = staticmethod(getattr(hashlib, digest))
    with app.app_context(), patch.object(TimestampSigner, "get_timestamp", lambda self: signed_at):
        return interface.get_signing_serializer(app).dumps(session)


def valid(name, session, description, **options):
    """`description`: the session as JSON, without the types of Python."""
    cookie = cookie_of(session, **options)
    return {"name": name, **options, "session": description, "cookie": cookie}


VALID = [
    valid("one key", {"user_id": 7}, {"user_id": 7}),
    valid("no data", {}, {}),
    valid("compressed", {"text": "abc " * 300}, {"text": "abc " * 300}),
    valid("not ASCII", {"name": "Zoë 😀", "ключ": 1}, {"name": "Zoë 😀", "ключ": 1}),
    valid("a tuple", {"size": (1, ("a", [2]))}, {"size": [1, ["a", [2]]]}),
    valid("bytes", {"token": b"\x00\xff\x10"}, {"token": "AP8Q"}),
    valid("Markup", {"html": Markup("<b>&amp;</b>")}, {"html": "<b>&amp;</b>"}),
    valid(
        "a UUID",
        {"id_": uuid.UUID("1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed")},
        {"id_": "1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed"},
    ),
    valid(
        "a datetime",
        {"since": datetime(2026, 11, 20, 12, 0, 1, tzinfo=timezone.utc)},
        {"since": "2026-11-20T12:00:01.000Z"},
    ),
    valid("a dict that looks like a tag", {"a": {" t": [1]}, "b": {" di": 2}}, {"a": {" t": [1]}, "b": {" di": 2}}),
    valid("a session that looks like a tag", {" t": [1, 2]}, {" t": [1, 2]}),
    valid("dicts that look like no tag", {"a": {" x": 1}, "b": {" t": 1, "c": 2}}, {"a": {" x": 1}, "b": {" t": 1, "c": 2}}),
    valid("flashed messages", {"_flashes": [("info", "Hello")]}, {"_flashes": [["info", "Hello"]]}),
    valid("a permanent session", {"_permanent": True, "n": 1}, {"_permanent": True, "n": 1}),
    valid(
        "a login of Flask-Login",
        {"_fresh": True, "_id": "8d1f", "_user_id": "7"},
        {"_fresh": True, "_id": "8d1f", "_user_id": "7"},
    ),
    valid("numbers", {"float": 1.0, "big": 1e300, "negative": -5}, {"float": 1, "big": 1e300, "negative": -5}),
    valid("names of members", {"id": 1, "id_": 2, "get": {"id": 3}}, {"id": 1, "id_": 2, "get": {"id": 3}}),
    valid("an older key", {"n": 1}, {"n": 1}, key=OLD_KEY),
    valid("another salt", {"n": 1}, {"n": 1}, salt="shop-session"),
    valid("SHA-256", {"n": 1}, {"n": 1}, digest="sha256"),
    valid("SHA-512", {"n": 1}, {"n": 1}, digest="sha512"),
    valid("an early time", {"n": 1}, {"n": 1}, signed_at=1),
]

vectors = {"key": KEY, "oldKey": OLD_KEY, "signedAt": NOW, "valid": VALID}
path = Path(__file__).with_name("cookies.json")
path.write_text(json.dumps(vectors, indent=2, ensure_ascii=False) + "\n")
