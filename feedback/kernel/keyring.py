"""Keys derived from the instance's SECRET_KEY, one a purpose, held in memory only. Nothing here touches the database."""

from __future__ import annotations

import hashlib
import hmac
import os

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_installed: dict[str, bytes] = {}


def install(secret_key: str) -> None:
    """Set the instance's secret, once, when the application is made."""
    _installed["secret"] = secret_key.encode()


def derive(purpose: str) -> bytes:
    """A 32-byte key for one purpose. RuntimeError before `install`."""
    if "secret" not in _installed:
        raise RuntimeError("keyring: install() has not been called")
    return hmac.new(_installed["secret"], b"zhida/" + purpose.encode(), hashlib.sha256).digest()


def mac(purpose: str, *parts: object) -> str:
    """HMAC-SHA256 over length-prefixed parts, as hex."""
    digest = hmac.new(derive(purpose), digestmod=hashlib.sha256)
    for part in parts:
        raw = str(part).encode()
        digest.update(len(raw).to_bytes(4, "big") + raw)
    return digest.hexdigest()


def seal(purpose: str, clear: bytes, *, bound_to: str) -> bytes:
    """Encrypt (AES-256-GCM); the result opens only for the same purpose and `bound_to`."""
    nonce = os.urandom(12)
    return nonce + AESGCM(derive(purpose)).encrypt(nonce, clear, bound_to.encode())


def unseal(purpose: str, sealed: bytes, *, bound_to: str) -> bytes:
    """The clear bytes; cryptography.exceptions.InvalidTag when they were altered or moved."""
    return AESGCM(derive(purpose)).decrypt(sealed[:12], sealed[12:], bound_to.encode())
