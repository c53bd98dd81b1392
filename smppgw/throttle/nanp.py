"""The North American numbering plan (+1): whose an area code is, and how its numbers are written and told apart.

Area codes as the plan's administrator lists them (NANPA, nanpa.com, area codes in service and planned, 2025).
"""

from __future__ import annotations

from typing import Final, Literal

from smppgw.tables import NumberType

Country = Literal["US", "CA", "NANP"]
"""Of a number of +1: the United States with its territories, Canada, or one of the other countries."""

_CANADA: Final = """
    204 226 236 249 250 257 263 273 289 306 343 354 365 367 368 382 403 416 418 428 431 437 438 450 468 474
    506 514 519 548 579 581 584 587 604 613 639 647 672 683 705 709 742 753 778 780 782 807 819 825 867 873
    879 902 905 942
    600 622 633
"""  # the last line: codes without a place
_ELSEWHERE: Final = "242 246 264 268 284 345 441 473 649 658 664 721 758 767 784 809 829 849 868 869 876"
_TOLL_FREE: Final = "800 833 844 855 866 877 888"

CANADA: Final = frozenset(_CANADA.split())
ELSEWHERE: Final = frozenset(_ELSEWHERE.split())
"""Bermuda and the Caribbean. Not here, as they come under the rules of the US: Puerto Rico (787, 939), the US Virgin
Islands (340), Guam (671), American Samoa (684) and the Northern Mariana Islands (670)."""
TOLL_FREE: Final = frozenset(_TOLL_FREE.split())

NATIONAL_DIGITS: Final = 10
"""Of a number without its leading 1."""

SHORT_CODE_DIGITS: Final = range(5, 7)
"""Of a short code of the US (usshortcodes.com)."""


def country_of(area_code: str) -> Country:
    """Return whose an area code is; one that is in no list is the US's, whose rules are the strictest."""
    if area_code in CANADA:
        return "CA"
    return "NANP" if area_code in ELSEWHERE else "US"


def canonical(address: str) -> str:
    """Return an address as it is compared: a number by its digits, ten of them with the leading 1 of +1.

    Ten digits that begin with 0 or 1 are no number of +1; what is not digits alone stays as it is.
    """
    digits = address[1:] if address[:1] == "+" else address
    if not (digits.isdigit() and digits.isascii()):
        return address
    return f"1{digits}" if is_national(digits) else digits


def is_national(digits: str) -> bool:
    """Return whether so many digits can be a number of +1 without its leading 1."""
    return len(digits) == NATIONAL_DIGITS and digits[0] > "1"


def number_type(number: str) -> NumberType:
    """Return what a number, canonical, is by its digits alone; a number of another country counts as a long code."""
    if len(number) in SHORT_CODE_DIGITS:
        return "short_code"
    if len(number) == NATIONAL_DIGITS + 1 and number[0] == "1" and number[1:4] in TOLL_FREE:
        return "toll_free"
    return "long_code"
