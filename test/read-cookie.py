"""Opens signed session cookies: docs/cookie-format.md in Python, with the standard library alone.

Usage: read-cookie.py vectors.json    prints a JSON array with one object or reason for each vector
"""
import base64
import hashlib
import hmac
import json
import re
import sys
import urllib.parse

CLOCK_SKEW = 60


def derive(secret, label):
    extracted = hmac.new(bytes(32), secret, hashlib.sha256).digest()
    info = b"fastify-typed-session/2/" + label.encode() + b"\x01"
    return hmac.new(extracted, info, hashlib.sha256).digest()


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def read_body(body, stamp):
    text = base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)).decode()
    start = text.find("{", 33)
    if not re.fullmatch("[0-9]{10}[01]", text[:11]) or not re.fullmatch("[0-9]{10}", stamp) or start == -1:
        raise ValueError("not a body")
    owner, mark, extensions = text[33:start].partition(":")
    if mark:
        check_extensions(extensions.split(":"))
    if re.search("%(?![0-9A-Fa-f]{2})", owner):
        raise ValueError("not an owner")
    return {
        "id": text[11:33],
        "createdAt": int(text[:10]),
        "lastSeenAt": int(stamp),
        "permanent": text[10] == "1",
        "ownerId": urllib.parse.unquote(owner, errors="strict") or None,
        "extensions": mark + extensions or None,
        "data": json.loads(text[start:], parse_constant=refuse_constant),
    }


def check_extensions(entries):
    tags = [entry[:1] for entry in entries]
    if tags != sorted(set(tags)) or not all(re.fullmatch("[A-Za-z][A-Za-z0-9_-]*", entry) for entry in entries):
        raise ValueError("not extensions")
    if not all(re.fullmatch("[1-9][0-9]{0,8}-?", entry[1:]) for entry in entries if entry[0] == "v"):
        raise ValueError("not a version of a schema")
    if any(tag.isupper() for tag in tags):
        raise Unsupported


class Unsupported(Exception):
    """A critical extension that this reader does not know."""


def refuse_constant(name):
    raise ValueError(name + " is not JSON")


def open_cookie(cookie, name, secrets, now, idle_timeout, absolute_timeout):
    """The session in a cookie as a dict, or as a string the reason why there is none."""
    if cookie[:2] != "s2" or cookie[18:19] != "." or len(cookie) < 44 or cookie[-44] != ".":
        return "malformed"
    secret = next((s for s in secrets if base64url(derive(s, "key-id"))[:6] == cookie[2:8]), None)
    if secret is None:
        return "unknown-key"
    key = derive(secret, "signed").hex().encode()
    mac = hmac.new(key, f"{name}={cookie[:-44]}".encode(), hashlib.sha256).digest()
    if not hmac.compare_digest(base64url(mac).encode(), cookie[-43:].encode()):
        return "bad-signature"
    try:
        session = read_body(cookie[19:-44], cookie[8:18])
    except ValueError:
        return "malformed"
    except Unsupported:
        return "unsupported"
    if max(session["createdAt"], session["lastSeenAt"]) > now + CLOCK_SKEW:
        return "not-yet-valid"
    if now - session["createdAt"] > absolute_timeout:
        return "expired-absolute"
    return "expired-idle" if now - session["lastSeenAt"] > idle_timeout else session


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as file:
        vectors = json.load(file)
    limits = vectors["now"], vectors["idleTimeout"], vectors["absoluteTimeout"]
    results = []
    for vector in vectors["valid"] + vectors["invalid"]:
        keys = [bytes.fromhex(s["hex"]) if "hex" in s else s["text"].encode() for s in vector["secrets"]]
        results.append(open_cookie(vector["cookie"], vector["cookieName"], keys, *limits))
    print(json.dumps(results))
