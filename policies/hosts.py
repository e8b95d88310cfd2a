"""Which names of machines mean this one: only to it may anything go without encryption."""

import ipaddress


def is_local_host(host: str) -> bool:
    """Return whether the name or number means this machine.

    >>> is_local_host("localhost"), is_local_host("127.0.0.2"), is_local_host("[::1]")
    (True, True, True)
    >>> is_local_host("mail.example.com"), is_local_host("localhost.example.com"), is_local_host("10.0.0.1")
    (False, False, False)
    """
    name = host.strip("[]").rstrip(".").lower()
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name == "localhost" or name.endswith(".localhost")
