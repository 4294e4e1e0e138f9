"""Tokens without a mark: the name of the service and a sign of assignment stand before them."""

from __future__ import annotations

import re

from secret_store.scrubbing.rules.rule import Rule

UUID = "[a-f0-9]{8}-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{12}"

TABLE: tuple[tuple[str, str], ...] = (
    ("adafruit", "[a-z0-9_-]{32}"), ("adobe", "[a-f0-9]{32}"), ("airtable", "[a-z0-9]{17}"), ("algolia", "[a-z0-9]{32}"),
    ("alibaba", "[a-z0-9]{30}"), ("aliyun", "[a-z0-9]{30}"), ("amplitude", "[a-f0-9]{32}"), ("asana", "[a-z0-9]{32}|[0-9]{16}"),
    ("assemblyai", "[a-f0-9]{32}"), ("atlassian", "[a-z0-9]{24}"), ("confluence", "[a-z0-9]{24}"), ("jira", "[a-z0-9]{24}"),
    ("auth0", "[a-z0-9_-]{64}"), ("aws", "[a-z0-9/+=]{40}"), ("azure", "[a-z0-9]{32}|[a-z0-9/+]{86}=="),
    ("bitbucket", "[a-z0-9=_-]{64}|[a-z0-9]{32}"), ("bittrex", "[a-f0-9]{32}"), ("box", "[a-z0-9]{32}"), ("bugsnag", "[a-f0-9]{32}"),
    ("chieftools", "[a-z0-9_]{36,60}"), ("cloudflare", "[a-f0-9]{37}|[a-z0-9_-]{40}"), ("cloudsmith", "[a-f0-9]{40}"),
    ("codecov", "[a-z0-9]{32}|" + UUID), ("cohere", "[a-z0-9]{40}"), ("co_api_key", "[a-z0-9]{40}"), ("coinbase", "[a-z0-9_-]{64}"),
    ("confluent", "[a-z0-9]{64}|[a-z0-9]{16}"), ("contentful", "[a-z0-9=_-]{43}"), ("datadog", "[a-f0-9]{40}|[a-f0-9]{32}"),
    ("dd_api", "[a-f0-9]{32}"), ("deepgram", "[a-f0-9]{40}"), ("deepseek", "sk-[a-f0-9]{32}"), ("discord", "[a-z0-9_-]{32}|[0-9]{18}"),
    ("docusign", UUID), ("drone", "[a-z0-9]{32}"), ("dropbox", "[a-z0-9]{15}|[a-z0-9]{11}aaaaaaaaaa[a-z0-9_=-]{43}"),
    ("etsy", "[a-z0-9]{24}"), ("expo", "[a-z0-9_-]{40}"), ("facebook", "[a-f0-9]{32}"), ("fastly", "[a-z0-9=_-]{32}"),
    ("finicity", "[a-f0-9]{32}|[a-z0-9]{20}"), ("finnhub", "[a-z0-9]{20}"), ("firebase", "[a-z0-9_-]{40}"), ("flickr", "[a-z0-9]{32}"),
    ("freemius", "sk_[^\\s\"']{29}"), ("freshbooks", "[a-z0-9]{64}"), ("freshdesk", "[a-z0-9]{20}"), ("gitea", "[a-f0-9]{40}"),
    ("github", "[a-f0-9]{40}"), ("gitter", "[a-z0-9_-]{40}"), ("heroku", UUID), ("honeycomb", "[a-z0-9]{32}|[a-z0-9]{22}"),
    ("hubspot", UUID), ("intercom", "[a-z0-9=_-]{60}"), ("jfrog", "[a-z0-9]{73}|[a-z0-9]{64}"), ("artifactory", "[a-z0-9]{73}|[a-z0-9]{64}"),
    ("kraken", "[a-z0-9/=_+-]{80,90}"), ("kucoin", UUID + "|[a-f0-9]{24}"), ("launchdarkly", "[a-z0-9=_-]{40}"),
    ("line_channel", "[a-z0-9+/=]{100,200}|[a-f0-9]{32}"), ("linear", "[a-f0-9]{32}"), ("linkedin", "[a-z0-9]{16}|[a-z0-9]{14}"),
    ("lob", "(?:live|test)_[a-f0-9]{35}"), ("logdna", "[a-f0-9]{32}"), ("looker", "[a-z0-9]{24}|[a-z0-9]{20}"), ("mailchimp", "[a-f0-9]{32}-us[0-9]{1,2}"),
    ("mailgun", "[a-f0-9]{32}-[a-f0-9]{8}-[a-f0-9]{8}"), ("mailjet", "[a-f0-9]{32}"), ("mattermost", "[a-z0-9]{26}"),
    ("maxmind", "[a-z0-9]{16}"), ("meraki", "[a-f0-9]{40}"), ("messagebird", "[a-z0-9]{25}|" + UUID), ("mistral", "[a-z0-9]{32}"),
    ("mixpanel", "[a-f0-9]{32}"), ("netlify", "[a-z0-9=_-]{40,46}"), ("new_relic", "[a-z0-9]{64}"), ("newrelic", "[a-z0-9]{64}"),
    ("nytimes", "[a-z0-9=_-]{32}"), ("okta", "00[a-z0-9=_-]{40}"), ("opsgenie", UUID), ("pagerduty", "[a-z0-9_+-]{20}"),
    ("paypal", "[a-z0-9_-]{80}"), ("pinterest", "[a-z0-9_-]{64}"), ("plaid", "[a-z0-9]{30}|[a-z0-9]{24}"), ("privateai", "[a-z0-9]{32}"),
    ("private_ai", "[a-z0-9]{32}"), ("pushover", "[a-z0-9]{30}"), ("quay", "[a-z0-9]{40,64}"), ("rapidapi", "[a-z0-9_-]{50}"),
    ("razorpay", "[a-z0-9]{24}"), ("rollbar", "[a-f0-9]{32}"), ("salesforce", "00d[a-z0-9]{12}![a-z0-9_.]{80,110}"), ("sambanova", UUID),
    ("segment", "[a-z0-9]{32}"), ("sendbird", "[a-f0-9]{40}|" + UUID), ("sentry", "[a-f0-9]{64}|[a-f0-9]{32}"), ("snyk", UUID),
    ("sonar", "[a-z0-9=_-]{40}"), ("spotify", "[a-f0-9]{32}"), ("square", "[a-z0-9_-]{60,64}"), ("squarespace", UUID),
    ("statuspage", UUID), ("sumo", "[a-z0-9]{64}|su[a-z0-9]{12}"), ("telegram", "[0-9]{8,12}:[a-z0-9_-]{35}"),
    ("travis", "[a-z0-9]{22}"), ("trello", "[a-f0-9]{64}|[a-f0-9]{32}"), ("twilio", "[a-f0-9]{32}"), ("twitch", "[a-z0-9]{30}"),
    ("twitter", "[a-z0-9]{50}|[a-z0-9]{45}|[a-z0-9]{25}|[0-9]{15,25}-[a-z0-9]{20,40}"), ("typesense", "[a-z0-9]{32,64}"), ("unsplash", "[a-z0-9_-]{43}"),
    ("vercel", "[a-z0-9]{24}"), ("wandb", "[a-f0-9]{40}"), ("webex", "[a-z0-9]{64}_[a-z0-9]{4}_" + UUID), ("wechat", "[a-f0-9]{32}"),
    ("weixin", "[a-f0-9]{32}"), ("yandex", "t1\\.[a-z0-9_.=-]{80,200}|[a-z0-9_-]{40}"), ("zendesk", "[a-z0-9]{40}"), ("zoom", "[a-z0-9]{32}"),
)  # fmt: skip

LEAST_ENTROPY = 2.9


def _rule(keyword: str, value: str) -> Rule:
    expression = (
        rf"(?i){keyword}[\w .-]{{0,30}}?\\?[\"'\]]{{0,3}}\s{{0,3}}(?:=>|:=|\|\||[=:,(])\s{{0,4}}(?:\\?[\"'`(]){{0,3}}"
        rf"(?P<value>{value})(?![A-Za-z0-9_/+=-]|\.[A-Za-z0-9])"
    )
    return Rule(
        f"{keyword.replace('_', '-')}-credential",
        (keyword.encode(),),
        re.compile(expression.encode()),
        entropy=LEAST_ENTROPY,
    )


RULES = tuple(_rule(keyword, value) for keyword, value in TABLE)
