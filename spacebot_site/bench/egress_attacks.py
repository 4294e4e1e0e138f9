"""Places that no agent may reach, in the spellings that slip past filters. Shared by the suite and `bench walls`."""

from __future__ import annotations

_LOOPBACK = (
    "127.0.0.1", "127.1", "127.0.1", "127.127.127.127", "2130706433", "0x7f000001", "0x7F.0x0.0x0.0x1", "0x7f.1",
    "017700000001", "0177.0.0.1", "0177.0.0.01", "00000177.0.0.1", "0177.0x0.0.1", "127.0x0.1", "127.000.000.001",
    "127.0.0.1.", "0", "0.0.0.0", "0x0", "00", "[::1]", "[::]", "[0:0:0:0:0:0:0:1]", "[0000::0001]", "[::127.0.0.1]",
    "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[0:0:0:0:0:ffff:127.0.0.1]", "[::FFFF:7F00:0001]", "[64:ff9b::127.0.0.1]",
    "[64:ff9b::7f00:1]", "[64:ff9b:1::7f00:1]", "[2002:7f00:1::]", "[2001:0:7f00:1::80ff:fffe]",
    "[2001:db8::1]", "[2606:4700::5efe:127.0.0.1]", "[::1%25lo]", "[::1%lo]", "１２７.０.０.１", "①②⑦.⓪.⓪.①", "127。0。0。1",
    "127．0．0．1", "127｡0｡0｡1", "127.0.0.1%00", "%31%32%37.0.0.1", "127%2e0%2e0%2e1", "localhost", "LOCALHOST",
    "localhost.", "ｌｏｃａｌｈｏｓｔ", "loc\u00adalhost", "a.localhost", "localhost.localdomain", "ⓛⓞⓒⓐⓛⓗⓞⓢⓣ", "%6cocalhost",
)  # fmt: skip
_INSIDE = (
    "10.0.0.1", "167772161", "0xa000001", "012.0.0.1", "172.16.0.1", "172.31.255.254", "192.168.1.1", "3232235777",
    "192.168.257", "100.64.0.1", "100.127.255.255", "169.254.1.1", "198.18.0.1", "192.0.2.1", "198.51.100.1",
    "203.0.113.1", "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255", "4294967295", "192.0.0.1", "192.88.99.1",
    "[fc00::1]", "[fd12:3456:789a::1]", "[fe80::1]", "[fe80::1%25eth0]", "[fec0::1]", "[ff02::1]", "[::ffff:10.0.0.1]",
    "[::ffff:192.168.1.1]", "[64:ff9b::10.0.0.1]", "[2002:a00:1::]", "[2002:c0a8:101::1]", "[3fff::1]", "[100::1]",
    "[::ffff:0:10.0.0.1]", "[4000::1]", "[2001:20::1]",
)  # fmt: skip
_METADATA = (
    "169.254.169.254", "2852039166", "0xa9fea9fe", "0xA9.0xFE.0xA9.0xFE", "0251.0376.0251.0376", "025177524776",
    "169.254.43518", "169.16689662", "[::ffff:169.254.169.254]", "[::ffff:a9fe:a9fe]", "[64:ff9b::a9fe:a9fe]",
    "[2002:a9fe:a9fe::]", "[fd00:ec2::254]", "[fd20:ce::254]", "169.254.170.2", "100.100.100.200", "168.63.129.16",
    "192.0.0.192", "１６９.２５４.１６９.２５４", "169。254。169。254", "metadata.google.internal", "METADATA.google.internal.",
    "metadata.goog", "metadata", "instance-data", "metadata.azure.internal",
)  # fmt: skip
_TRICKS = (
    "http://site.com@127.0.0.1/", "http://site.com:80@127.0.0.1/", "http://127.0.0.1:80\\@site.com/", "http://site.com\\@127.0.0.1/",
    "http://127.0.0.1\\.site.com/", "http://127.0.0.1#.site.com/", "http://127.0.0.1?.site.com/",
    "http:\\\\127.0.0.1/", "http:127.0.0.1", "http:///127.0.0.1/", "http://127.0.0.1:80:80/", "http://[::1]x/", "http://[127.0.0.1]/",
    "\thttp://127.0.0.1/", "ht\ntp://127.0.0.1/", "http://127.0.0.1\t/", "http://127.\n0.0.1/", "http://127.0.0.1 /", "HTTP://127.0.0.1/",
    "http://１２７.１/", "http://127.0.0.1:8０/", "file:///etc/passwd", "file://localhost/etc/passwd", "gopher://127.0.0.1:6379/_INFO",
    "dict://127.0.0.1:6379/info", "ftp://127.0.0.1/", "ldap://127.0.0.1/", "chrome://settings", "view-source:http://127.0.0.1/",
    "data:text/html,x", "javascript:fetch('http://127.0.0.1')", "blob:http://127.0.0.1/x", "ws://127.0.0.1/",
    "http://site.com:5432/", "http://site.com:6379/", "http://site.com:22/", "http://site.com:25/", "http://site.com:11211/",
)  # fmt: skip
PRIVATE_NAMES = (
    "localhost", "a.localhost", "localhost.localdomain", "printer.local", "wiki.corp", "db.internal", "host.docker.internal",
    "kubernetes.default.svc", "kubernetes.default.svc.cluster.local", "router.lan", "nas.home", "nas.home.arpa", "x.intranet",
    "postgres", "redis", "metadata", "metadata.goog", "metadata.google.internal", "instance-data.ec2.internal",
    "1.0.0.127.in-addr.arpa", "abc.onion", "METADATA.GOOGLE.INTERNAL.",
)  # fmt: skip

SPELLINGS = (
    *(f"http://{host}/" for host in (*_LOOPBACK, *_INSIDE, *_METADATA)),
    *(f"https://{host}:8443/x?y" for host in (*_LOOPBACK, *_METADATA)),
    *_TRICKS,
)
REDIRECTED = tuple(f"http://{host}/" for host in (*_LOOPBACK, *_INSIDE, *_METADATA))
