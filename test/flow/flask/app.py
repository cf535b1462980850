"""A Flask application for the tests: what it answers is JSON. It listens on a free port, and prints its URL."""

import os
import uuid
from datetime import datetime, timedelta, timezone

from flask import Flask, flash, get_flashed_messages, request, session
from flask.sessions import session_json_serializer
from flask_login import LoginManager, UserMixin, current_user, login_user, logout_user
from markupsafe import Markup
from werkzeug.serving import make_server

app = Flask(__name__)
app.config.update(
    SECRET_KEY=os.environ["SECRET_KEY"],
    PERMANENT_SESSION_LIFETIME=timedelta(seconds=int(os.environ.get("LIFETIME", "2678400"))),
    SESSION_REFRESH_EACH_REQUEST=os.environ.get("REFRESH", "1") == "1",
)
logins = LoginManager(app)


class User(UserMixin):
    def __init__(self, user_id):
        self.id = user_id


@logins.user_loader
def load_user(user_id):
    return User(user_id)


@app.get("/session")
def show():
    """The session as Flask would write it, and who is logged in."""
    user = current_user.get_id() if current_user.is_authenticated else None
    return {"session": session_json_serializer.dumps(dict(session)), "user": user, "permanent": session.permanent}


@app.post("/set")
def put():
    session.update(request.get_json())
    return {}


@app.post("/permanent")
def keep():
    session.permanent = request.get_json()
    return {}


@app.post("/python")
def put_python():
    session["size"] = (1, (2, []))
    session["token"] = b"\x00\xff"
    session["html"] = Markup("<b>")
    session["uuid"] = uuid.UUID(int=5)
    session["since"] = datetime(2026, 11, 20, 12, 0, 1, tzinfo=timezone.utc)
    session["dict"] = {" t": 1}
    session["big"] = 12345678901234567890
    session["id"] = {"id": "ö"}
    flash("Hello", "info")
    return {}


@app.get("/python")
def show_python():
    types = {key: type(value).__name__ for key, value in session.items()}
    return {"types": types, "flashes": get_flashed_messages(with_categories=True)}


@app.post("/login")
def login():
    login_user(User(request.get_json()))
    return {}


@app.post("/logout")
def logout():
    logout_user()
    return {}


@app.post("/clear")
def clear():
    session.clear()
    return {}


if __name__ == "__main__":
    server = make_server("127.0.0.1", 0, app, threaded=True)
    print(f"Flask listens on http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()
