"""Writes records.json: records as Flask-Session writes them, and one in pickle. See test/flow/flask/requirements.txt."""

import base64
import json
import pickle
import uuid
from datetime import datetime, timezone
from pathlib import Path

import flask_session
from flask import Flask
from flask_session.base import MsgSpecSerializer

app = Flask("vectors")


def record_of(session, serialization):
    """What Flask-Session keeps for a session."""
    return MsgSpecSerializer(app, serialization).encode(session)


SESSIONS = [
    ("plain values", {"n": 1, "name": "Zoë 😀", "no": None, "yes": True, "half": 0.5}, None),
    ("a permanent session", {"_permanent": True, "user_id": 7}, None),
    ("nested", {"cart": {"apple": [1, {"kg": 2}]}}, None),
    ("no data", {}, None),
    (
        "a datetime",
        {"since": datetime(2026, 11, 20, 12, 0, 1, tzinfo=timezone.utc)},
        {"msgpack": {"since": "2026-11-20T12:00:01.000Z"}, "json": {"since": "2026-11-20T12:00:01Z"}},
    ),
    ("a tuple", {"size": (1, 2)}, {"msgpack": {"size": [1, 2]}, "json": {"size": [1, 2]}}),
    ("bytes", {"token": b"\x00\xff\x10"}, {"msgpack": {"token": "AP8Q"}, "json": {"token": "AP8Q"}}),
    (
        "a UUID",
        {"id": uuid.UUID(int=5)},
        {key: {"id": "00000000-0000-0000-0000-000000000005"} for key in ("msgpack", "json")},
    ),
]

vectors = {
    "library": f"Flask-Session {flask_session.__version__}",
    "valid": [
        {
            "name": name,
            "format": serialization,
            "session": session if plain is None else plain[serialization],
            "record": base64.b64encode(record_of(session, serialization)).decode(),
        }
        for name, session, plain in SESSIONS
        for serialization in ("msgpack", "json")
    ],
    "pickles": [
        base64.b64encode(pickle.dumps({"user_id": 7}, protocol)).decode() for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1)
    ],
}
path = Path(__file__).with_name("records.json")
path.write_text(json.dumps(vectors, indent=2, ensure_ascii=False) + "\n")
