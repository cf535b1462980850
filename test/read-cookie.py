"""Opens signed and encrypted session cookies and sealed values: docs/cookie-format.md in Python, with the standard library alone.

Usage: read-cookie.py vectors.json    prints a JSON array with one object or reason for each vector
"""
import base64
import hashlib
import hmac
import json
import re
import struct
import sys
import urllib.parse

CLOCK_SKEW = 60
MODES = {"s2": "signed", "e2": "encrypted"}


def derive(secret, label):
    extracted = hmac.new(bytes(32), secret, hashlib.sha256).digest()
    info = b"fastify-typed-session/2/" + label.encode() + b"\x01"
    return hmac.new(extracted, info, hashlib.sha256).digest()


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def from_base64url(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def quarter_round(words, a, b, c, d):
    for to, source, target, bits in (a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7):
        words[to] = (words[to] + words[source]) & 0xFFFFFFFF
        mixed = words[target] ^ words[to]
        words[target] = (mixed << bits | mixed >> (32 - bits)) & 0xFFFFFFFF


def rounds(key, rest):
    """The words at the start of the rounds of ChaCha20, and after them."""
    before = struct.unpack("<16I", b"expand 32-byte k" + key + rest)
    words = list(before)
    for _ in range(10):
        for i in range(4):
            quarter_round(words, i, i + 4, i + 8, i + 12)
        for i in range(4):
            quarter_round(words, i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4)
    return before, words


def hchacha20(key, nonce):
    _, words = rounds(key, nonce)
    return struct.pack("<8I", *words[:4], *words[12:])


def chacha20(key, nonce, counter):
    before, words = rounds(key, struct.pack("<I", counter) + nonce)
    return struct.pack("<16I", *((a + b) & 0xFFFFFFFF for a, b in zip(before, words)))


def poly1305(key, message):
    r = int.from_bytes(key[:16], "little") & 0x0FFFFFFC0FFFFFFC0FFFFFFC0FFFFFFF
    total = 0
    for i in range(0, len(message), 16):
        total = (total + int.from_bytes(message[i : i + 16] + b"\x01", "little")) * r % (2**130 - 5)
    return ((total + int.from_bytes(key[16:32], "little")) % 2**128).to_bytes(16, "little")


def pad16(data):
    return data + bytes(-len(data) % 16)


def decrypt(key, sealed, additional):
    """The plaintext of XChaCha20-Poly1305; None if it does not open."""
    if len(sealed) < 40:
        return None
    key, nonce = hchacha20(key, sealed[:16]), bytes(4) + sealed[16:24]
    ciphertext, tag = sealed[24:-16], sealed[-16:]
    lengths = struct.pack("<QQ", len(additional), len(ciphertext))
    authenticated = pad16(additional) + pad16(ciphertext) + lengths
    if not hmac.compare_digest(poly1305(chacha20(key, nonce, 0)[:32], authenticated), tag):
        return None
    stream = b"".join(chacha20(key, nonce, i + 1) for i in range(-(-len(ciphertext) // 64)))
    return bytes(a ^ b for a, b in zip(ciphertext, stream))


def read_body(body, stamp):
    text = body.decode()
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
    number = "v[1-9][0-9]{0,8}-?|[IL][1-9][0-9]{0,9}"
    if not all(re.fullmatch(number, entry) for entry in entries if entry[0] in "vIL"):
        raise ValueError("not a version of a schema, or not a timeout")
    if any(tag.isupper() and tag not in "IL" for tag in tags):
        raise Unsupported


def own_timeout(session, tag, default, longest):
    """The timeout that holds for a session, in seconds."""
    found = re.search(f":{tag}([0-9]+)", session["extensions"] or "")
    return min(int(found[1]), longest) if found else default


class Unsupported(Exception):
    """A critical extension that this reader does not know."""


def refuse_constant(name):
    raise ValueError(name + " is not JSON")


def open_signed(cookie, name, key):
    """The body, or the reason why there is none."""
    mac = hmac.new(key.hex().encode(), f"{name}={cookie[:-44]}".encode(), hashlib.sha256).digest()
    if not hmac.compare_digest(base64url(mac).encode(), cookie[-43:].encode()):
        return "bad-signature"
    return from_base64url(cookie[19:-44])


def open_encrypted(cookie, name, key):
    """The body, or the reason why there is none."""
    try:
        sealed = from_base64url(cookie[19:])
    except ValueError:
        return "malformed"
    if base64url(sealed) != cookie[19:] or len(name) + len(cookie) > 4096:
        return "malformed"
    body = decrypt(key, sealed, f"{name}={cookie[:19]}".encode())
    return "bad-signature" if body is None else body


def open_cookie(cookie, mode, name, secrets, now, idle, absolute, longest_idle, longest_absolute):
    """The session in a cookie as a dict, or as a string the reason why there is none."""
    lacks_mac = mode == "signed" and cookie[-44:-43] != "."
    if MODES.get(cookie[:2]) != mode or cookie[18:19] not in (".", "~") or lacks_mac:
        return "malformed"
    secret = next((s for s in secrets if base64url(derive(s, "key-id"))[:6] == cookie[2:8]), None)
    if secret is None:
        return "unknown-key"
    body = (open_signed if mode == "signed" else open_encrypted)(cookie, name, derive(secret, mode))
    if isinstance(body, str):
        return body
    try:
        session = read_body(body, cookie[8:18])
    except ValueError:
        return "malformed"
    except Unsupported:
        return "unsupported"
    if max(session["createdAt"], session["lastSeenAt"]) > now + CLOCK_SKEW:
        return "not-yet-valid"
    if now - session["createdAt"] > own_timeout(session, "L", absolute, longest_absolute):
        return "expired-absolute"
    return "expired-idle" if now - session["lastSeenAt"] > own_timeout(session, "I", idle, longest_idle) else session


def open_member(value, place, name, secrets):
    """The JSON text behind the value of a member in a store; None if it does not open."""
    head = value[:9]
    secret = next((s for s in secrets if base64url(derive(s, "key-id"))[:6] == head[2:8]), None)
    if secret is None or head[:2] != "m1" or head[8:] != "." or not re.fullmatch("[A-Za-z0-9_-]*", value[9:]):
        return None
    sealed = from_base64url(value[9:]) if len(value[9:]) % 4 != 1 else b""
    text = None if base64url(sealed) != value[9:] else decrypt(derive(secret, "member"), sealed, f"{head}{place}={name}".encode())
    return None if text is None else text.decode()


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as file:
        vectors = json.load(file)
    names = "now", "idleTimeout", "absoluteTimeout", "maxIdleTimeout", "maxAbsoluteTimeout"
    limits = [vectors.get(name) for name in names]
    results = []
    for vector in vectors["valid"] + vectors["invalid"]:
        keys = [bytes.fromhex(s["hex"]) if "hex" in s else s["text"].encode() for s in vector["secrets"]]
        if vectors["mode"] == "member":
            results.append(open_member(vector["value"], vector["place"], vector["member"], keys))
        else:
            results.append(open_cookie(vector["cookie"], vectors["mode"], vector["cookieName"], keys, *limits))
    print(json.dumps(results))
