"""The Flask application that is moved route by route. It still has the start page, the login and a logout."""

import os

from flask import Flask, flash, get_flashed_messages, redirect, request, session
from markupsafe import Markup, escape
from werkzeug.serving import make_server

app = Flask(__name__)
app.config.update(SECRET_KEY=os.environ["SECRET_KEY"], SESSION_COOKIE_SAMESITE="Lax")


@app.get("/")
def start():
    name = session.get("name")
    cart = session.get("cart", {})
    items = Markup("").join(Markup("<li>{} × {}</li>").format(count, item) for item, count in cart.items())
    messages = Markup("").join(Markup("<p>{}</p>").format(message) for message in get_flashed_messages())
    visitor = Markup(
        '<p>You are <strong>{}</strong>.</p><form method="post" action="/logout"><button>Log out in Flask</button></form>'
        if name
        else '<form method="post" action="/login"><label>Name <input name="name" required></label> <button>Log in in Flask</button></form>'
    )
    return page(visitor.format(name) + messages + Markup("<h2>Cart</h2><ul>") + items + Markup("</ul>"))


@app.post("/login")
def login():
    cart = session.get("cart")
    session.clear()
    session["name"] = request.form["name"]
    if cart:
        session["cart"] = cart
    flash("Flask has logged you in.")
    return redirect("/", 303)


@app.post("/logout")
def logout():
    session.clear()
    return redirect("/", 303)


def page(content):
    return f"""<!doctype html>
<html lang="en">
<title>Start – Flask</title>
<p>This page comes from <strong>Flask</strong>. <a href="/cart">The cart</a> comes from Fastify.</p>
{escape(content)}
"""


if __name__ == "__main__":
    server = make_server("127.0.0.1", int(os.environ.get("PORT", "5000")), app, threaded=True)
    print(f"Flask listens on http://127.0.0.1:{server.server_port}", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass
