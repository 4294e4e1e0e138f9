"""Secrets known by what is around them: key blocks, credentials in addresses and headers, signed tokens, settings."""

from __future__ import annotations

import re

from secret_store.scrubbing.rules.rule import Rule

_B64 = rb"[A-Za-z0-9_-]"


def _rule(name: str, anchors: str, expression: bytes, **more: int | float) -> Rule:
    return Rule(name, tuple(anchors.encode().split()), re.compile(expression), **more)  # type: ignore[arg-type]


RULES = (
    Rule(
        "private-key",
        (b"-----begin",),
        # Up to the end line, or as far as key material goes on: a block that was cut off is secret all the same.
        re.compile(
            rb"-----BEGIN[A-Z0-9 ]{0,40} PRIVATE KEY(?: BLOCK)?-----"
            rb"(?:(?:[A-Za-z0-9+/=:,. \r\n\t-]|\\[nrt]){0,16000}?-----END[A-Z0-9 ]{0,40} PRIVATE KEY(?: BLOCK)?-----"
            rb"|(?:[A-Za-z0-9+/=\r\n]|\\[nrt]){0,16000})"
        ),
    ),
    _rule("putty-private-key", "putty-user-key-file", rb"PuTTY-User-Key-File-\d: [\s\S]{0,6000}?Private-MAC: [0-9a-f]{40,64}"),
    _rule("age-secret-key", "age-secret-key-1", rb"(?i)AGE-SECRET-KEY-1[0-9A-Z]{58}(?![0-9A-Za-z])"),
    _rule("age-plugin-key", "age-secret-key-pq-1", rb"(?i)AGE-SECRET-KEY-PQ-1[0-9A-Z]{58,120}"),
    _rule("jwt", "eyj", rb"(?<![A-Za-z0-9_-])eyJ" + _B64 + rb"{14,2000}\.eyJ" + _B64 + rb"{12,4000}\.(?:" + _B64 + rb"{10,1000})?"),
    _rule("jwe", "eyj", rb"(?<![A-Za-z0-9_-])eyJ" + _B64 + rb"{14,2000}\." + _B64 + rb"{0,1000}(?:\." + _B64 + rb"{10,4000}){3}"),
    _rule(
        "url-password",
        "://",
        rb"://[^\s/:@\"'<>{}\[\]$]{0,100}:(?P<value>(?!\*|x{3})[^\s/@\"'<>{}$]{3,200})@[A-Za-z0-9\[]",
    ),
    _rule(
        "authorization-header",
        "authorization",
        rb"(?i)authorization\\?[\"']?\s{0,3}[:=,]\s{0,3}\\?[\"']?(?:bearer|basic|token|apikey|bot)\s{1,2}(?P<value>[A-Za-z0-9_.~+/=-]{8,2000})",
        entropy=2.6,
    ),
    _rule(
        "bearer-token",
        "bearer",
        rb"(?<![A-Za-z])[Bb]earer\s(?P<value>[A-Za-z0-9_.~+/-]{20,2000}={0,2})",
        entropy=3.3,
    ),
    _rule(
        "api-key-header",
        "x-api-key x-auth-token x-access-token private-token x-vault-token x-goog-api-key api-key:",
        rb"(?i)(?:x-(?:api-key|auth-token|access-token|vault-token|goog-api-key)|private-token|api-key)\\?[\"']?\s{0,3}[:=,]"
        rb"\s{0,3}\\?[\"']?(?P<value>[A-Za-z0-9_.~+/=-]{12,500})",
        entropy=2.8,
    ),
    _rule(
        "curl-password",
        "curl",
        rb"curl\b[^\n|;]{0,300}?\s(?:-u|--user)[ =]?[\"']?[^\s:\"'$<]{1,80}:(?P<value>[^\s\"'$<@]{3,200})",
    ),
    _rule(
        "query-token",
        "access_token= api_key= apikey= token= sig= signature= client_secret= x-amz-signature=",
        rb"(?i)(?<=[?&])(?:access_token|api_?key|token|sig(?:nature)?|client_secret|x-amz-signature)=(?P<value>[A-Za-z0-9_.~%+/=-]{16,800})",
        entropy=3.0,
        back=1,
    ),
    _rule(
        "setting",
        "secret token api_key apikey api-key access_key accesskey private_key passwd password credential auth_key authkey",
        rb"(?i)(?:secret|token|api[_-]?key|access_?key|private_key|passwo?r?d|credentials?|auth_?key)[A-Za-z0-9_-]{0,24}"
        rb"\\?[\"'\]]{0,2}\s{0,3}(?::=|=>|[:=,])\s{0,3}\\?[\"'`](?P<value>[A-Za-z0-9_.~+/=!@#$%^&*-]{16,200})\\?[\"'`]",
        entropy=3.5,
    ),
    _rule(
        "env-setting",
        "_secret= _token= _key= _password= _passwd= _secret_key=",
        rb"(?i)(?:_secret|_token|_key|_passwo?r?d)=(?P<value>[A-Za-z0-9_.~+/=!@#%^&*-]{16,400})(?![A-Za-z0-9(\[])",
        entropy=3.5,
    ),
    _rule(
        "kubernetes-secret",
        "kind:",
        rb"kind:\s{0,3}[\"']?Secret\b[\s\S]{0,600}?\n\s{0,8}data:\s{0,4}\n(?P<value>(?:\s{1,8}[\w.-]{1,60}:\s{1,4}[\"']?[A-Za-z0-9+/=]{8,8000}[\"']?\s{0,2}\n?){1,30})",
    ),
    _rule(
        "nuget-password",
        "cleartextpassword",
        rb"(?i)key=\"(?:ClearText)?Password\"\s{1,4}value=\"(?P<value>[^\"%]{4,200})\"",
        back=40,
    ),
    _rule("pkcs12-base64", "miik miij miii", rb"(?<![A-Za-z0-9+/])MII[IJK][A-Za-z0-9+/]{4}IBAzCC[A-Za-z0-9+/=\r\n]{200,8000}"),
    _rule("azure-storage-key", "accountkey=", rb"(?i)AccountKey=(?P<value>[A-Za-z0-9+/]{86}==)"),
    _rule("azure-shared-key", "sharedaccesskey=", rb"(?i)SharedAccessKey=(?P<value>[A-Za-z0-9+/]{43}=)"),
    _rule("azure-sas", "sig=", rb"(?<=[?&])sig=(?P<value>[A-Za-z0-9%+/]{40,120}(?:=|%3[Dd])?)"),
    _rule("webhook-slack", "hooks.slack.com", rb"hooks\.slack\.com/(?:services|workflows|triggers)/(?P<value>[A-Za-z0-9+/_-]{30,120})"),
    _rule("webhook-discord", "api/webhooks/", rb"api/webhooks/(?P<value>\d{17,20}/[A-Za-z0-9_-]{50,90})"),
    _rule(
        "webhook-teams",
        ".webhook.office.com",
        rb"\.webhook\.office\.com/webhookb2/(?P<value>[a-f0-9-]{36}@[a-f0-9-]{36}/IncomingWebhook/[a-f0-9]{32}/[a-f0-9-]{36}[A-Za-z0-9/_-]{0,60})",
    ),
    _rule("webhook-zapier", "hooks.zapier.com", rb"hooks\.zapier\.com/hooks/catch/(?P<value>\d{4,12}/[a-z0-9]{5,12})"),
    _rule("webhook-google-chat", "chat.googleapis.com", rb"chat\.googleapis\.com/v1/spaces/[\w-]{5,40}/messages\?(?P<value>key=[\w-]{30,60}&token=[\w%-]{30,80})"),
    _rule("sidekiq-url", "gems.contribsys.com enterprise.contribsys.com", rb"(?P<value>[a-f0-9]{8}:[a-f0-9]{8})@(?:gems|enterprise)\.contribsys\.com", back=18),
    _rule("sidekiq-secret", "bundle_enterprise__contribsys__com bundle_gems__contribsys__com", rb"(?i)BUNDLE_(?:ENTERPRISE|GEMS)__CONTRIBSYS__COM[\"']?\s{0,3}[=:]\s{0,3}[\"']?(?P<value>[a-f0-9]{8}:[a-f0-9]{8})"),
    _rule("django-secret-key", "django-insecure-", rb"django-insecure-[A-Za-z0-9!@#$%^&*(_=+)-]{40,60}"),
    _rule("ansible-vault", "$ansible_vault;", rb"\$ANSIBLE_VAULT;\d\.\d;AES256[\s\S]{0,40}?\n(?P<value>(?:\s{0,12}[0-9a-f]{20,80}\n?){2,200})"),
    _rule("password-hash", "$2a$ $2b$ $2y$ $argon2", rb"\$(?:2[aby]\$\d\d\$[./A-Za-z0-9]{53}|argon2(?:id?|d)\$v=\d\d\$[a-z0-9=,]{8,40}\$[A-Za-z0-9+/]{10,90}\$[A-Za-z0-9+/]{20,90})"),
)  # fmt: skip
