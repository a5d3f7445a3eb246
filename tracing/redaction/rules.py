"""What do secrets look like by themselves: API keys, private keys, tokens, e-mail addresses, card numbers?

Each pattern is linear: it starts at a literal or at the border of what it may consist of, its repetitions are bounded
or possessive, and so no place of a text is looked at more often than a fixed number of times.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

MARK_START: Final = "[redacted: "
"""How every mark begins."""
LONGEST_MARK: Final = 40
"""No mark is longer, in characters."""


def mark(what: str) -> str:
    """What stands in the place of a secret."""
    return f"{MARK_START}{what}]"


@dataclass(frozen=True)
class Rule:
    """One look of a secret.

    Attributes:
        pattern: Finds what may be one.
        what: What it is called in the mark.
        needles: Texts of which one occurs wherever the pattern matches: most texts hold none, and are done soon.
        confirm: Says whether a match really is one.
        probe: Instead of needles, a pattern that is found sooner, wherever the pattern matches.
    """

    pattern: re.Pattern[str]
    what: str
    needles: tuple[str, ...]
    confirm: Callable[[str], bool] | None = None
    probe: re.Pattern[str] | None = None

    def may_match(self, text: str) -> bool:
        """Whether it is worth a look."""
        if self.probe is not None:
            return self.probe.search(text) is not None
        return any(needle in text for needle in self.needles)

    def apply(self, text: str) -> str:
        """Put marks in the place of matches; what is in a group named ``kept`` before the secret stays."""
        return self.pattern.sub(self._mark, text)

    def _mark(self, match: re.Match[str]) -> str:
        secret = match["secret"]
        if self.confirm is not None and not self.confirm(secret):
            return match[0]
        whole, start = match[0], match.start()
        return f"{whole[: match.start('secret') - start]}{mark(self.what)}{whole[match.end('secret') - start :]}"


# Where a word begins, also after an escaped line break or a percent-encoded character.
_BEGIN: Final = r"(?:(?<![A-Za-z0-9_-])|(?<=\\[nrt])|(?<=%[0-9A-Fa-f]{2}))"

_KEY_PREFIXES: Final = (
    # OpenAI, Anthropic, OpenRouter, Langfuse; Groq; xAI; Perplexity; Replicate; Tavily; Hugging Face; Stripe
    *("sk-", "pk-lf-", "gsk_", "xai-", "pplx-", "r8_", "tvly-", "hf_"),
    *("sk_live_", "sk_test_", "rk_live_", "rk_test_", "pk_live_", "whsec_"),
    # GitHub, GitLab, npm, PyPI, DigitalOcean, SendGrid, Slack, Google
    *("ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "glpat-", "npm_", "pypi-", "dop_v1_", "SG."),
    *("xoxa-", "xoxb-", "xoxe-", "xoxp-", "xoxr-", "xoxs-", "xapp-", "AIza", "GOCSPX-", "ya29."),
)
_AWS_PREFIXES: Final = ("AKIA", "ASIA", "ABIA", "ACCA")


def _is_random(key: str) -> bool:
    """Whether a key is made of letters and digits: ``sk-learn-contributors-guide`` is not."""
    return any(char.isdigit() for char in key) and any(char.isalpha() for char in key)


KEY_RULES: Final = (
    Rule(
        # To the block's end, or to the end of what is left of it.
        re.compile(
            r"(?P<secret>-----BEGIN (?:[A-Z0-9]{1,12} ){0,4}PRIVATE KEY(?: BLOCK)?-----"
            r"[^-]*+(?:-(?!----END )[^-]*+)*+(?:-----END [A-Z0-9 ]{0,64}-----)?)"
        ),
        "private key",
        ("PRIVATE KEY",),
    ),
    Rule(
        re.compile(r"(?<![A-Za-z0-9+.-])[A-Za-z][A-Za-z0-9+.-]{1,30}://(?P<secret>[^\s/?#\"'<>\[\]]{1,512}(?=@))"),
        "credentials",
        ("://",),
        lambda user: ":" in user or len(user) >= 20,  # noqa: PLR2004 - `ssh://git@host` names nothing secret
    ),
    Rule(
        re.compile(
            rf"{_BEGIN}(?P<secret>(?:{'|'.join(map(re.escape, _KEY_PREFIXES))})"
            r"[A-Za-z0-9_-]{10,}+(?:\.[A-Za-z0-9_-]++){0,3}+)"
        ),
        "api key",
        _KEY_PREFIXES,
        _is_random,
    ),
    Rule(
        re.compile(rf"{_BEGIN}(?P<secret>(?:{'|'.join(_AWS_PREFIXES)})[A-Z0-9]{{16}})(?![A-Za-z0-9])"),
        "api key",
        _AWS_PREFIXES,
    ),
    Rule(
        re.compile(r"hooks\.slack\.com/(?:services|workflows|triggers)/(?P<secret>[A-Za-z0-9/_-]{10,}+)"),
        "api key",
        ("hooks.slack.com",),
    ),
)

TOKEN_RULES: Final = (
    Rule(
        re.compile(rf"{_BEGIN}(?P<secret>eyJ[A-Za-z0-9_-]{{8,}}+\.[A-Za-z0-9_-]{{4,}}+(?:\.[A-Za-z0-9_-]*+){{1,3}}+)"),
        "token",
        ("eyJ",),
    ),
    Rule(
        re.compile(r"\b(?:[Bb]earer|BEARER|[Bb]asic|BASIC)[ \t]{1,4}(?P<secret>[A-Za-z0-9._~+/=-]{16,}+)"),
        "token",
        ("earer", "BEARER", "asic", "BASIC"),
        lambda token: any(char.isdigit() or char == "=" for char in token),
    ),
)

EMAIL_RULES: Final = (
    Rule(
        re.compile(
            r"(?<!\w)(?<!\w[.+-])(?<!://)(?P<secret>\w[\w.+-]{0,63}+(?:@|%40)(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.){1,6}[^\W\d_]{2,24})"
        ),
        "email address",
        ("@", "%40"),
    ),
)

_BRANDS: Final = re.compile(
    # Visa; MasterCard; American Express; Discover; Diners; JCB; UnionPay; Maestro
    r"4(?:\d{12}|\d{15}|\d{18})|(?:5[1-5]\d\d|222[1-9]|22[3-9]\d|2[3-6]\d\d|27[01]\d|2720)\d{12}|3[47]\d{13}"
    r"|(?:6011|65\d\d|64[4-9]\d)\d{12,15}|3(?:0[0-5]|[68]\d)\d{11,16}|35(?:2[89]|[3-8]\d)\d{12,15}|62\d{14,17}"
    r"|(?:50|5[6-8]|63|67)\d{11,17}"
)


def _is_card(text: str) -> bool:
    """Whether digits are a card's: of a known brand, and with the right check digit (Luhn).

    A nanosecond time has as many digits; the brands keep it from being one in ten times.
    """
    digits = "".join(char for char in text if char.isdigit())
    if not _BRANDS.fullmatch(digits):
        return False
    doubled = [2 * int(char) for char in digits[-2::-2]]
    return (sum(int(char) for char in digits[-1::-2]) + sum(n - 9 if n > 9 else n for n in doubled)) % 10 == 0  # noqa: PLR2004 - Luhn's formula


CARD_RULES: Final = (
    Rule(
        re.compile(
            r"(?<![0-9])(?<![0-9][ .-])(?P<secret>[0-9](?:[ .-]?[0-9]){12,18})(?![ .-]?[0-9])",
        ),
        "card number",
        needles=(),
        confirm=_is_card,
        probe=re.compile(r"[0-9](?:[ .-]?[0-9]){12}"),
    ),
)
