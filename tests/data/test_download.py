"""Only https, or this machine, is asked."""

import pytest

from fnn.data import mnist
from fnn.data.download import check_address, fetch


@pytest.mark.parametrize("url", ["http://example.org/a", "ftp://127.0.0.1/a", "file:///etc/passwd", "https://", "a"])
def test_only_https_or_this_machine_is_asked(url):
    with pytest.raises(ValueError, match="is not an https address"):
        fetch(url, 10, 1.0)
    for host in mnist.HOSTS:
        check_address(host)
