"""A Flask application for the tests whose sessions Flask-Session keeps in Redis. It prints its URL."""

import os
import warnings
from datetime import datetime, timezone

from flask import Flask, request, session
from flask_session import Session
from redis import Redis
from werkzeug.serving import make_server

warnings.simplefilter("ignore")
app = Flask(__name__)
app.config.update(
    SECRET_KEY=os.environ["SECRET_KEY"],
    SESSION_TYPE="redis",
    SESSION_REDIS=Redis(port=int(os.environ["REDIS_PORT"])),
    SESSION_KEY_PREFIX=os.environ["PREFIX"],
    SESSION_SERIALIZATION_FORMAT=os.environ["FORMAT"],
    SESSION_USE_SIGNER=os.environ["SIGNED"] == "1",
    SESSION_COOKIE_NAME="old",
)
Session(app)


@app.post("/set")
def put():
    session.update(request.get_json())
    session["since"] = datetime(2026, 11, 20, 12, 0, 1, tzinfo=timezone.utc)
    return {}


@app.get("/session")
def show():
    return {"keys": sorted(session.keys())}


if __name__ == "__main__":
    server = make_server("127.0.0.1", 0, app, threaded=True)
    print(f"Flask listens on http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()
