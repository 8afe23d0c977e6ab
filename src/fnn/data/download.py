"""Bytes from the network: never more than expected, and never for longer than allowed."""

import http.client
import time
import urllib.error
import urllib.parse
import urllib.request
from typing import IO

RECEIVED_AT_ONCE = 2**16  # bytes
LONGEST_TRANSFER = 30  # times the time-out
FAILURES = (OSError, ValueError, http.client.HTTPException)  # what `fetch` may raise: no host, wrong answer, wrong size


class CheckedRedirects(urllib.request.HTTPRedirectHandler):
    """Follows a redirect, ten at most, to an address that would be allowed by itself."""

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        """The next request, once its address was checked."""
        check_address(newurl)
        return urllib.request.HTTPRedirectHandler.redirect_request(self, req, fp, code, msg, headers, newurl)


def check_address(url: str) -> None:
    """Raises `ValueError` unless the address is https, or http to this machine, where nobody is in between."""
    parts = urllib.parse.urlsplit(url)
    loopback = parts.hostname in ("127.0.0.1", "::1", "localhost")
    if not parts.hostname or parts.scheme != "https" and not (parts.scheme == "http" and loopback):
        raise ValueError(f"{url[:200]} is not an https address")


def fetch(url: str, limit: int, timeout: float) -> bytes:
    """The body at an address.

    Args:
        url: An https address.
        limit: The most bytes to accept.
        timeout: Seconds to wait for each answer of the host; the whole transfer may take 30 times as long.

    Raises:
        OSError, ValueError, http.client.HTTPException: There is no such answer, or it is too long or too slow.
    """
    check_address(url)
    deadline, body = time.monotonic() + LONGEST_TRANSFER * timeout, bytearray()
    with urllib.request.build_opener(CheckedRedirects).open(url, timeout=timeout) as response:
        while chunk := response.read1(RECEIVED_AT_ONCE):  # not `read`, which waits until it has all of these bytes
            body += chunk
            if len(body) > limit:
                raise ValueError(f"more than the {limit:,} bytes expected")
            if time.monotonic() > deadline:
                raise TimeoutError(f"not done after {LONGEST_TRANSFER * timeout:.0f} s")
    return bytes(body)
