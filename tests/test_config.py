"""A configuration is read whole or refused whole, and every problem names file, key and reason."""

from __future__ import annotations

import dataclasses
import re
import tomllib
from collections.abc import Callable, Mapping
from ipaddress import ip_network
from pathlib import Path
from types import UnionType
from typing import Any, get_args, get_type_hints

import pytest

from smppgw.config import ConfigError, check, load, load_profile
from smppgw.error_classes import Meanings
from smppgw.settings import (
    AdminSettings,
    CarrierSettings,
    EsmeSettings,
    ListenSettings,
    OutbindSettings,
    PoolSettings,
    Settings,
)
from smppgw.tables import ErrMeaning, ErrorProfile, StatMeaning, StatusMeaning

CONFIG = Path(__file__).parents[1] / "config"
MINIMAL = """
[gateway]
data_dir = "data"
[[esme]]
system_id = "acme"
password = "secret"
[[carrier]]
name = "one"
host = "smsc.example.net"
system_id = "us"
password = "secret"
"""
CARRIER_TWO = "[[carrier]]\nname = 'two'\nhost = 'h'\nsystem_id = 's'\npassword = ''\n"

Write = Callable[[str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(text: str) -> Path:
        path = tmp_path / "smppgw.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def problems_of(path: Path) -> list[str]:
    return [f"{problem.key}: {problem.reason}" for problem in check(path)]


# What is well.


def test_the_smallest_useful_file_is_enough(write: Write) -> None:
    settings = load(write(MINIMAL))
    assert settings.listen == ListenSettings()
    assert settings.admin == AdminSettings()
    assert settings.esmes == (EsmeSettings("acme", "secret"),)
    assert settings.carriers == (CarrierSettings("one", "smsc.example.net", "us", "secret"),)
    assert settings.tiers is None


def test_check_finds_nothing_in_a_good_file(write: Write) -> None:
    assert check(write(MINIMAL)) == []


def test_paths_are_relative_to_the_file(write: Write) -> None:
    path = write(MINIMAL)
    assert load(path).gateway.data_dir == path.parent / "data"


def test_an_absolute_path_stays(write: Write) -> None:
    assert load(write(MINIMAL.replace('"data"', '"/var/lib/smppgw"'))).gateway.data_dir == Path(
        "/var/lib/smppgw"
    )


def test_a_number_is_its_digits_with_or_without_a_plus_or_a_1(write: Write) -> None:
    settings = load(
        write(
            MINIMAL.replace(
                'password = "secret"\n[[carrier',
                'password = "secret"\nsources = ["+1206", "ACME"]\n[[carrier',
            )
            + '[[brand]]\nid = "b"\n'
            '[[campaign]]\nid = "c"\nbrand = "b"\nnumbers = ["+12065550100", "2065550101"]\n'
            '[[pool]]\nname = "2065550109"\ncampaign = "c"\nnumbers = ["+2065550101"]\n'
            '[[number]]\nnumber = "+18005550100"\nsegments_per_second = 20\n'
            '[[route]]\ncarriers = ["one"]\ndestination = "+1"\n'
        )
    )
    assert settings.esmes[0].sources == ("1206", "ACME")
    assert settings.campaigns[0].numbers == ("12065550100", "12065550101")
    assert settings.numbers[0].number == "18005550100"
    assert settings.pools[0] == PoolSettings("12065550109", "c", ("12065550101",))
    assert settings.routes[0].destination == "1"


def test_a_whole_number_serves_where_a_number_is_wanted(write: Write) -> None:
    timeout = load(write(MINIMAL + "[listen]\nbind_timeout = 5\n")).listen.bind_timeout
    assert timeout == 5.0
    assert isinstance(timeout, float)


def test_networks_and_single_addresses_are_read(write: Write) -> None:
    text = MINIMAL.replace("[[carrier", 'allowed_ips = ["192.0.2.0/24", "2001:db8::1"]\n[[carrier')
    assert load(write(text)).esmes[0].allowed_ips == (
        ip_network("192.0.2.0/24"),
        ip_network("2001:db8::1/128"),
    )


def test_outbind_is_a_table_of_its_own(write: Write) -> None:
    text = MINIMAL.replace("[[carrier", 'outbind = { host = "192.0.2.7", port = 2775 }\n[[carrier')
    assert load(write(text)).esmes[0].outbind == OutbindSettings("192.0.2.7", 2775)


def test_caps_are_numbers_or_the_word_unlimited(write: Write) -> None:
    text = (
        MINIMAL
        + '[[brand]]\nid = "a"\nsegments_per_day = 7\n[[brand]]\nid = "b"\nsegments_per_day = "unlimited"\n'
    )
    assert [brand.segments_per_day for brand in load(write(text)).brands] == [7, "unlimited"]


def test_a_long_password_is_sent_to_a_carrier_that_wants_one(write: Write) -> None:
    text = MINIMAL.replace(
        '"us"\npassword = "secret"', '"us"\npassword = "twelve chars"\nlong_password = true'
    )
    assert load(write(text)).carriers[0].password == "twelve chars"


# Secrets.


def test_a_secret_may_be_in_the_environment(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACME_PASSWORD", "from-env")
    text = MINIMAL.replace('password = "secret"', 'password = { env = "ACME_PASSWORD" }')
    assert load(write(text)).esmes[0].password == "from-env"


def test_a_secret_may_be_in_a_file_beside_the_configuration(write: Write, tmp_path: Path) -> None:
    (tmp_path / "acme.password").write_text("in-file\n")
    text = MINIMAL.replace('password = "secret"', 'password = { file = "acme.password" }')
    assert load(write(text)).esmes[0].password == "in-file"


@pytest.mark.parametrize(
    ("secret", "reason"),
    [
        (
            '{ env = "SMPPGW_NOT_SET" }',
            "names the environment variable SMPPGW_NOT_SET; expected one that is set",
        ),
        ('{ file = "no-such-file" }', "No such file or directory"),
        ('{ file = "a\\u0000b" }', "expected a path"),
        ('{ file = "." }', "Is a directory"),
        ('{ file = "octets" }', "expected one that holds UTF-8 text"),
        ('{ file = "long" }', "expected one of at most 4096 octets"),
        ('{ env = "A", file = "b" }', 'expected a string, { env = "NAME" } or { file = "PATH" }'),
        ("7", 'expected a string, { env = "NAME" } or { file = "PATH" }'),
        ('""', "has 0 characters"),
        ('"nine char"', "has 9 characters; expected 1 to 8 printable ASCII characters"),
        ('"pässword"', "has other characters"),
    ],
)
def test_a_secret_that_cannot_be_had_is_a_problem(
    write: Write, tmp_path: Path, secret: str, reason: str
) -> None:
    (tmp_path / "octets").write_bytes(b"\xff")
    (tmp_path / "long").write_bytes(b"x" * 5_000)
    text = MINIMAL.replace('"acme"\npassword = "secret"', f'"acme"\npassword = {secret}')
    (problem,) = problems_of(write(text))
    assert problem.startswith('[[esme]] "acme": password: ')
    assert reason in problem


@pytest.mark.parametrize("secret", ['"hunter2-hunter2"', '["hunter2"]', '{ value = "hunter2" }', '"hünter2"'])
def test_a_wrong_secret_is_never_shown(write: Write, secret: str) -> None:
    path = write(MINIMAL.replace('"acme"\npassword = "secret"', f'"acme"\npassword = {secret}'))
    assert check(path)
    assert not any(re.search("h.nter2", str(problem)) for problem in check(path))


def test_settings_do_not_print_their_secrets(write: Write) -> None:
    assert "hunter2" not in repr(load(write(MINIMAL.replace('"secret"', '"hunter2"'))))


# What is wrong.


@pytest.mark.parametrize(
    ("addition", "key", "reason"),
    [
        ("[listen]\nport = 65536", "[listen] port", "is 65536; expected 0 to 65535"),
        ("[listen]\nport = -1", "[listen] port", "is -1; expected 0 to 65535"),
        ("[listen]\nport = true", "[listen] port", "is true; expected a whole number"),
        ("[listen]\nport = 2775.0", "[listen] port", "is 2775.0; expected a whole number"),
        ('[listen]\nport = "2775"', "[listen] port", 'is "2775"; expected a whole number'),
        ("[listen]\nbind_timeout = false", "[listen] bind_timeout", "is false; expected a number"),
        ("[listen]\nbind_timeout = nan", "[listen] bind_timeout", "is nan; expected more than 0"),
        ("[listen]\nbind_timeout = inf", "[listen] bind_timeout", "is inf; expected more than 0"),
        (
            "[listen]\nbind_timeout = 0",
            "[listen] bind_timeout",
            "is 0.0; expected more than 0 and at most 3600",
        ),
        (f"[listen]\nbind_timeout = {10**400}", "[listen] bind_timeout", "expected a number"),
        ("[listen]\nbind_timeout = 1979-05-27", "[listen] bind_timeout", "is 1979-05-27; expected a number"),
        ('[listen]\nhost = "a b"', "[listen] host", 'is "a b"; expected a host name or an IP address'),
        (
            '[listen]\nsystem_id = "sixteen letters!"',
            "[listen] system_id",
            "has 16 characters; expected 0 to 15",
        ),
        ("[listen]\nprot = 1", "[listen] prot", 'is not a known key; did you mean "port"?'),
        ("[listen]\nzzz = 1", "[listen] zzz", "is not a known key; known are host, port, system_id"),
        ("[lisden]\nport = 1", "lisden", 'is not a known key; did you mean "listen"?'),
        ("[[listen]]\nport = 1", "[listen]", "is a list; expected a table"),
        ("[brand]\nid = 'b'", "[[brand]]", "is a table; expected a repeated table, written [[brand]]"),
        ("[admin]\nport = [1]", "[admin] port", "is a list; expected a whole number"),
        ("[admin]\nport = {}", "[admin] port", "is a table; expected a whole number"),
        ("[limits]\ntiers = ''", "[limits] tiers", 'is ""; expected a path'),
        ("[limits]\ntiers = 'none.toml'", "", "cannot be read: No such file or directory"),
        ("[limits]\nregistration = 'on'", "[limits] registration", 'is "on"; expected "required" or "off"'),
        (
            "[store]\nmax_bytes = 2097152",
            "[store] max_bytes",
            "expected at least 8 times segment_bytes, 536870912",
        ),
        (
            "[store]\nsegment_bytes = 1048576\n[listen]\nmax_pdu_octets = 262144",
            "[store] segment_bytes",
            "expected at least 8 times the largest max_pdu_octets, 2097152",
        ),
        ("[store]\nsegment_bytes = 1048576.5", "[store] segment_bytes", "expected"),
        (
            "[store]\nmax_bytes = 2251799813685248",
            "[store] max_bytes",
            "is 2251799813685248; expected 1048576 to",
        ),
        ("[[brand]]\nstatus = 'approved'", "[[brand]] #1: id", "is missing; it has no default"),
        ("[[brand]]\nid = 'b'\nsegments_per_day = 'all'", '[[brand]] "b": segments_per_day', '"unlimited"'),
        (
            "[[brand]]\nid = 'b'\nsegments_per_day = 0",
            '[[brand]] "b": segments_per_day',
            "is 0; expected 1 to",
        ),
        ("[[brand]]\nid = 'b'\n[[brand]]\nid = 'b'", '[[brand]] "b": id', "stands twice"),
        ("[[esme]]\nsystem_id = 'acme'\npassword = 'x'", '[[esme]] "acme": system_id', "stands twice"),
        (
            "[[carrier]]\nname = 'one'\nhost = 'h'\nsystem_id = 's'\npassword = ''",
            '[[carrier]] "one": name',
            "stands twice",
        ),
        (
            "[[carrier]]\nname = 'two'\nhost = 'h'\nsystem_id = 's'\npassword = 'nine char'",
            '[[carrier]] "two": password',
            "has 9 characters; expected at most 8",
        ),
        (
            CARRIER_TWO + "system_type = 'thirteen long'",
            '[[carrier]] "two": system_type',
            "has 13 characters; expected 0 to 12",
        ),
        (
            CARRIER_TWO + "interface_version = 0x35",
            '[[carrier]] "two": interface_version',
            "is 53; expected 0x33 or 0x34 or 0x50",
        ),
        (
            CARRIER_TWO + "interface_version = 0x33\nlong_messages = 'sar'",
            '[[carrier]] "two": long_messages',
            'is "sar", whose optional parameters SMPP 3.3 does not have; expected "udh" or "whole"',
        ),
        (
            CARRIER_TWO + "reconnect_min = 90",
            '[[carrier]] "two": reconnect_min',
            "is 90.0; expected at most reconnect_max, 60.0 seconds",
        ),
        (
            "[[esme]]\nsystem_id = 'b'\npassword = 'x'\nallowed_ips = ['192.0.2.1/24']",
            '[[esme]] "b": allowed_ips',
            "has host bits set",
        ),
        (
            "[[esme]]\nsystem_id = 'b'\npassword = 'x'\nallowed_ips = [7]",
            '[[esme]] "b": allowed_ips',
            "is 7;",
        ),
        (
            "[[esme]]\nsystem_id = 'b'\npassword = 'x'\nsources = '1206'",
            '[[esme]] "b": sources',
            "expected a list",
        ),
        (
            "[[esme]]\nsystem_id = 'b'\npassword = 'x'\noutbind = { host = 'h' }",
            '[[esme]] "b": outbind: port',
            "is missing",
        ),
        (
            "[[esme]]\nsystem_id = 'b'\npassword = 'x'\noutbind = 7",
            '[[esme]] "b": outbind:',
            "expected a table",
        ),
        (
            "[[campaign]]\nid = 'c'\nbrand = 'nobody'",
            '[[campaign]] "c": brand',
            'names "nobody"; expected the id of',
        ),
        ("[[campaign]]\nid = 'c'\nbrand = 7", '[[campaign]] "c": brand', "is 7; expected a string"),
        (
            "[[number]]\nnumber = '1-2'\nsegments_per_second = 1",
            '[[number]] "1-2": number',
            "expected 3 to 15 digits",
        ),
        (
            "[[number]]\nnumber = '12345'\nsegments_per_second = 0",
            '[[number]] "12345": segments_per_second',
            "is 0.0; expected 0.001 to 100000 segments a second",
        ),
        (
            "[[number]]\nnumber = '12345'\ntype = 'mobile'",
            '[[number]] "12345": type',
            'is "mobile"; expected "long_code" or "toll_free" or "short_code"',
        ),
        (
            "[admin]\ncampaign_series = -1",
            "[admin] campaign_series",
            "is -1; expected 0 to 10000 campaigns",
        ),
        (
            "[limits]\nburst_seconds = -0.1",
            "[limits] burst_seconds",
            "is -0.1; expected 0 to 60 seconds",
        ),
        ("[[brand]]\nid = 'b'\ntax_id = 'é'", '[[brand]] "b": tax_id', "has other characters"),
        (
            '[[brand]]\nid = "b"\nreason = "two\\nlines"',
            '[[brand]] "b": reason',
            "expected at most 500 printable characters",
        ),
        (
            "".join(f"[[number]]\nnumber = '{n}'\nsegments_per_second = 1\n" for n in ("12345", "+12345")),
            '[[number]] "+12345": number',
            "stands twice",
        ),
        (
            "[[route]]\ncarriers = ['two']",
            "[[route]] #1: carriers",
            'names "two"; expected the name of a [[carrier]]',
        ),
        ("[[route]]\ncarriers = []", "[[route]] #1: carriers", "names no carrier"),
        (
            "[[route]]\ncarriers = ['one']\nesme = 'x'",
            "[[route]] #1: esme",
            "expected the system_id of a [[esme]]",
        ),
        (
            "[[route]]\ncarriers = ['one']\ncampaign = 'x'",
            "[[route]] #1: campaign",
            "expected the id of a [[campaign]]",
        ),
        ("[[route]]\ncarriers = ['one']\nsource = 'x'", "[[route]] #1: source", "expected the first digits"),
        (
            "[inbound]\ndefault_esme = 'nobody'",
            "[inbound] default_esme",
            'names "nobody"; expected the system_id of a [[esme]]',
        ),
        (
            "[inbound]\norphans_to = 'nobody'",
            "[inbound] orphans_to",
            'names "nobody"; expected the system_id of a [[esme]]',
        ),
        ("[inbound]\nhold_parts = 0", "[inbound] hold_parts", "is 0.0; expected 1 to 86400 seconds"),
        (
            "[[esme]]\nsystem_id = 'b'\npassword = 'x'\nprefixes = ['+1206x']",
            '[[esme]] "b": prefixes',
            "expected the first digits",
        ),
        ("[store]\nretention_days = -1", "[store] retention_days", "is -1; expected 0 to 3650 days"),
    ],
)
def test_a_wrong_key_is_named_with_what_would_be_right(
    write: Write, addition: str, key: str, reason: str
) -> None:
    (problem,) = check(write(f"{MINIMAL}{addition}\n"))
    assert problem.key == key
    assert reason in problem.reason


def test_an_unknown_campaign_class_is_refused_with_the_known_ones(write: Write) -> None:
    text = MINIMAL + "[[brand]]\nid = 'b'\n[[campaign]]\nid = 'c'\nbrand = 'b'\nclass = 'Q'\n"
    (problem,) = problems_of(write(text))
    assert problem.startswith('[[campaign]] "c": class: is "Q"; expected "A" or "B"')


def test_a_prefix_belongs_to_one_application(write: Write) -> None:
    esme = "[[esme]]\nsystem_id = '{}'\npassword = 'x'\nprefixes = [{}]\n"
    shared = esme.format("b", "'1206', '+1206'") + esme.format("c", "'+1206', '12065'")
    assert problems_of(write(MINIMAL + shared)) == [
        '[[esme]] "c": prefixes: has 1206, which "b" has; expected a prefix of one application'
    ]
    apart = esme.format("b", "'1206', '+1206'") + esme.format("c", "'12065'")
    assert problems_of(write(MINIMAL + apart)) == []


def test_what_nobody_owns_may_go_to_an_application_there_is(write: Write) -> None:
    inbound = load(write(MINIMAL + "[inbound]\ndefault_esme = 'acme'\norphans_to = 'acme'\n")).inbound
    assert (inbound.default_esme, inbound.orphans_to) == ("acme", "acme")


@pytest.mark.parametrize(
    ("left_out", "problem"),
    [
        ("[[esme]]", "[[esme]]: is missing; expected at least one application that may bind"),
        ("[[carrier]]", "[[carrier]]: is missing; expected at least one SMSC to send to"),
        ("[gateway]", "[gateway] data_dir: is missing; expected the directory of the message store"),
    ],
)
def test_what_a_gateway_cannot_do_without_is_asked_for(write: Write, left_out: str, problem: str) -> None:
    parts = re.split(r"(?m)^(?=\[)", MINIMAL)
    assert problems_of(write("".join(part for part in parts if not part.startswith(left_out)))) == [problem]


@pytest.mark.parametrize("table", ["gateway", "listen", "limits", "store"])
def test_a_value_where_a_table_belongs_is_one_problem(write: Write, table: str) -> None:
    rest = "[[" + MINIMAL.split("[[", 1)[1] if table == "gateway" else MINIMAL
    text = f"{table} = 7\n{rest}"
    assert problems_of(write(text)) == [f"[{table}]: is 7; expected a table"]


def test_every_problem_is_told_at_once(write: Write) -> None:
    text = "[listen]\nport = 'x'\nhsot = 'h'\n[[esme]]\nsystem_id = 7\n[[carrier]]\nname = 'one'\n"
    assert [problem.key for problem in check(write(text))] == [
        "[listen] hsot",
        "[listen] port",
        "[[esme]] #1: system_id",
        "[[esme]] #1: password",
        '[[carrier]] "one": host',
        '[[carrier]] "one": system_id',
        '[[carrier]] "one": password',
        "[gateway] data_dir",
    ]


def test_an_empty_file_is_asked_for_what_is_needed(write: Write) -> None:
    assert [problem.key for problem in check(write(""))] == ["[gateway] data_dir", "[[esme]]", "[[carrier]]"]


def test_a_syntax_error_names_its_line(write: Write) -> None:
    (problem,) = check(write('[gateway]\ndata_dir = "data\n'))
    assert "is not TOML" in problem.reason
    assert "line 2" in problem.reason


def test_a_file_that_is_no_text_is_a_problem(tmp_path: Path) -> None:
    path = tmp_path / "smppgw.toml"
    path.write_bytes(b"[gateway]\nname = '\xff'\n")
    assert problems_of(path) == [": is not UTF-8 at octet 18"]


def test_a_number_that_python_will_not_read_is_a_problem(write: Write) -> None:
    (problem,) = check(write(f"x = {'9' * 5_000}\n"))
    assert "is not TOML" in problem.reason


def test_a_value_that_is_nested_too_deeply_is_a_problem(write: Write) -> None:
    (problem,) = check(write(f"x = {'[' * 10_000}\n"))
    assert "nested too deeply" in problem.reason


def test_a_file_of_any_length_is_not_read(write: Write) -> None:
    (problem,) = check(write("#" * (16 * 1024 * 1024 + 1)))
    assert "is longer than" in problem.reason


def test_a_file_that_is_not_there_is_a_problem(tmp_path: Path) -> None:
    (problem,) = check(tmp_path / "none.toml")
    assert str(problem) == f"{tmp_path}/none.toml: cannot be read: No such file or directory"


def test_the_error_is_one_line_with_file_key_and_reason(write: Write) -> None:
    path = write(f"{MINIMAL}[listen]\nport = 70000\nhost = 7\n")
    with pytest.raises(ConfigError) as caught:
        load(path)
    assert str(caught.value) == f"{path}: [listen] host: is 7; expected a string (and 1 more)"
    assert [problem.key for problem in caught.value.problems] == ["[listen] host", "[listen] port"]


def test_a_name_with_a_line_break_keeps_the_problem_on_one_line(write: Write) -> None:
    (problem,) = check(write(MINIMAL.replace('"acme"', '"ac\\nme"')))
    assert "\n" not in str(problem)


# Profiles of carriers.


def with_profile(*profiles: str) -> str:
    """The carrier `one` with the first of these profiles, and others with the others."""
    first, *others = (f"profile = '{profile}'\n" for profile in profiles)
    carriers = [CARRIER_TWO.replace("two", f"more-{place}") + other for place, other in enumerate(others)]
    return MINIMAL + first + "".join(carriers)


def test_a_profile_is_read_for_each_carrier_that_names_it(write: Write, tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text(
        "[[err]]\nerr = ['001', '5b']\nclass = 'permanent_number'\nsource = 'the list'\n"
        "[[err]]\nerr = ['42']\nclass = 'permanent_number'\nsource = 'a receipt'\n"
        "[[stat]]\nstat = ['DELAYED']\nclass = 'pending'\nsource = 's'\n"
        "[[status]]\ncommand_status = ['ESME_RSUBMITFAIL', 0x401]\nclass = 'cap'\nsource = 's'\n"
    )
    (tmp_path / "b.toml").write_text("")
    settings = load(write(with_profile("a.toml", "b.toml", "a.toml") + CARRIER_TWO))
    profile = ErrorProfile(
        (
            ErrMeaning(("001", "5b"), "permanent_number", "the list"),
            ErrMeaning(("42",), "permanent_number", "a receipt"),
        ),
        (StatMeaning(("DELAYED",), "pending", "s"),),
        (StatusMeaning((0x45, 0x401), "cap", "s"),),
    )
    empty = ErrorProfile((), (), ())
    assert settings.profiles == {"one": profile, "more-0": empty, "more-1": profile}
    assert settings.carriers[0].profile == tmp_path / "a.toml"


def test_without_profiles_there_are_none(write: Write) -> None:
    assert load(write(MINIMAL)).profiles == {}


ENTRY = "class = 'temporary'\nsource = 's'\n"


@pytest.mark.parametrize(
    ("text", "key", "reason"),
    [
        (
            f"[[err]]\nerr = ['1']\n{ENTRY}[[err]]\nerr = ['2', '001']\nclass = 'cap'\nsource = 's'\n",
            "[[err]] #2: err",
            'has 1, which [[err]] #1 calls "temporary"; expected one class for each',
        ),
        (
            f"[[err]]\nerr = ['5B']\n{ENTRY}[[err]]\nerr = ['05b']\nclass = 'cap'\nsource = 's'\n",
            "[[err]] #2: err",
            'has 5B, which [[err]] #1 calls "temporary"',
        ),
        (
            f"[[stat]]\nstat = ['NOPE']\n{ENTRY}[[stat]]\nstat = ['nope']\nclass = 'cap'\nsource = 's'\n",
            "[[stat]] #2: stat",
            'has NOPE, which [[stat]] #1 calls "temporary"',
        ),
        (
            f"[[status]]\ncommand_status = ['ESME_RSYSERR']\n{ENTRY}[[status]]\ncommand_status = [8]\n"
            + ENTRY.replace("temporary", "cap"),
            "[[status]] #2: command_status",
            'has ESME_RSYSERR, which [[status]] #1 calls "temporary"',
        ),
        (
            f"[[status]]\ncommand_status = ['ESME_RNOSUCH']\n{ENTRY}",
            "[[status]] #1: command_status",
            'is "ESME_RNOSUCH"; expected a number, or a name of SMPP v5.0 such as ESME_RINVDSTADR',
        ),
        (
            f"[[status]]\ncommand_status = [0]\n{ENTRY}",
            "[[status]] #1: command_status",
            "is 0; expected 1 to 4294967295",
        ),
        (
            f"[[status]]\ncommand_status = [true]\n{ENTRY}",
            "[[status]] #1: command_status",
            "is true; expected a whole number or a string",
        ),
        (f"[[err]]\nerr = ['']\n{ENTRY}", "[[err]] #1: err", "has 0 characters; expected 1 to 20"),
        (f"[[err]]\nerr = [1]\n{ENTRY}", "[[err]] #1: err", "is 1; expected a string"),
        ("[[err]]\nerr = ['1']\nclass = 'cap'\n", "[[err]] #1: source", "is missing; it has no default"),
        (
            "[[err]]\nerr = ['1']\nclass = 'temp'\nsource = 's'\n",
            "[[err]] #1: class",
            'is "temp"; expected "delivered" or "pending" or "temporary"',
        ),
        (
            "[[err]]\nerr = ['1', '2']\nclass = 'delivered'\nsource = 's'\n",
            "[[err]] #1: class",
            'is "delivered"; expected a class for a failure',
        ),
        (
            "[[status]]\ncommand_status = [8]\nclass = 'pending'\nsource = 's'\n",
            "[[status]] #1: class",
            'is "pending"; expected a class for a failure',
        ),
        (
            f"[[stat]]\nstat = ['ACCEPTD']\n{ENTRY}",
            "[[stat]] #1: class",
            'calls "ACCEPTD" "temporary"; expected "pending", which no profile changes',
        ),
        ("[[er]]\nerr = ['1']\n", "er", 'is not a known key; did you mean "err"?'),
    ],
)
def test_a_problem_in_a_profile_names_that_file(
    write: Write, tmp_path: Path, text: str, key: str, reason: str
) -> None:
    profile = tmp_path / "carrier.toml"
    profile.write_text(text)
    (problem,) = check(write(with_profile("carrier.toml", "carrier.toml")))  # which is read once
    assert (problem.file, problem.key) == (profile, key)
    assert reason in problem.reason
    with pytest.raises(ConfigError) as caught:
        load_profile(profile)
    assert caught.value.problems == [problem]


def test_an_error_may_be_listed_twice_in_one_class(write: Write, tmp_path: Path) -> None:
    (tmp_path / "carrier.toml").write_text(
        f"[[err]]\nerr = ['1', '01']\n{ENTRY}[[err]]\nerr = ['1']\n{ENTRY}[[stat]]\nstat = ['FAILED']\n{ENTRY}"
    )
    assert check(write(with_profile("carrier.toml"))) == []


def test_a_word_for_what_is_no_failure_may_be_listed_as_what_it_is(write: Write, tmp_path: Path) -> None:
    (tmp_path / "carrier.toml").write_text(
        "[[stat]]\nstat = ['DELIVERD']\nclass = 'delivered'\nsource = 's'\n"
    )
    assert check(write(with_profile("carrier.toml"))) == []


@pytest.mark.parametrize(
    ("octets", "reason"),
    [
        (None, "cannot be read: No such file or directory"),
        (b"err = [", "is not TOML: "),
        (b"# \xff", "is not UTF-8 at octet 2"),
    ],
)
def test_a_profile_that_is_no_table_is_a_problem_of_the_carrier_that_names_it(
    write: Write, tmp_path: Path, octets: bytes | None, reason: str
) -> None:
    profile = tmp_path / "carrier.toml"
    if octets is not None:
        profile.write_bytes(octets)
    path = write(with_profile("carrier.toml"))
    (problem,) = check(path)
    assert (problem.file, problem.key) == (path, '[[carrier]] "one": profile')
    assert problem.reason.startswith(f"names {profile}, which {reason}")
    with pytest.raises(ConfigError, match=re.escape(str(profile))):
        load_profile(profile)


# The files that are shipped.

PROFILES = sorted((CONFIG / "profiles").glob("*.toml"))

UNDELIV = {
    "bandwidth": {"4721": "permanent_number", "4775": "opted_out", "4773": "permanent_sender", "4780": "cap"},
    "example": {"5b": "permanent_number", "42": "opted_out", "000": "temporary"},
    "infobip": {
        "001": "permanent_number",
        "603": "opted_out",
        "027": "temporary",
        "542": "cap",
        "541": "rate",
    },
    "sinch": {
        "150": "permanent_number",
        "001": "temporary",
        "64": "cap",
        "335": "permanent_message",
        "004": "rate",
    },
    "smsmode": {"34": "permanent_number", "3502": "temporary", "37": "expired", "3522": "temporary"},
    "telnyx": {
        "40012": "permanent_number",
        "40300": "opted_out",
        "40011": "rate",
        "40015": "permanent_message",
    },
    "twilio": {"001": "temporary", "005": "permanent_number", "000": "unknown"},
    "vonage": {"001": "unknown", "003": "permanent_number", "9": "opted_out", "10": "permanent_message"},
}
"""What a receipt with stat:UNDELIV and such an err is, at each carrier."""


@pytest.mark.parametrize("path", PROFILES, ids=lambda path: path.stem)
def test_a_profile_that_is_shipped_says_what_errors_mean_and_where_that_was_found(path: Path) -> None:
    profile = load_profile(path)
    entries = (*profile.errs, *profile.stats, *profile.statuses)
    assert all(entry.source for entry in entries)
    meanings = Meanings(profile)
    expected: Mapping[str, str] = UNDELIV[path.stem]
    assert {err: meanings.receipt(5, "UNDELIV", err).error_class for err in expected} == expected


def test_there_is_a_profile_for_each_carrier_whose_errors_are_known() -> None:
    assert [path.stem for path in PROFILES] == sorted(UNDELIV)


TIERS = CONFIG / "tiers" / "us-10dlc.toml"


def with_tiers(table: Path) -> str:
    return (
        f"{MINIMAL}[limits]\ntiers = '{table}'\n[[brand]]\nid = 'b'\ntier = 'low'\n"
        "[[campaign]]\nid = 'c'\nbrand = 'b'\nclass = 'A'\n"
    )


def test_the_table_of_tiers_has_every_tier_and_class_with_its_source(write: Write) -> None:
    table = load(write(with_tiers(TIERS))).tiers
    assert table is not None
    caps = {tier.name: tier.segments_per_day for tier in table.tiers}
    assert caps == {
        "top": 200_000,
        "high_mid": 40_000,
        "low_mid": 10_000,
        "low": 2_000,
        "low_volume": 6_000,
        "sole_proprietor": 1_000,
        "uncapped": "unlimited",
    }
    assert {rate.name: rate.segments_per_minute for rate in table.classes}["C"] == 2_400
    assert "".join(rate.name for rate in table.classes) == "ABCDEFTWKPSXYGNZ"
    assert {rate.name for rate in table.classes if rate.scope == "number"} == {"G", "N", "Y"}
    rates = {rate.type: rate.segments_per_second for rate in table.number_rates}
    assert rates == {"long_code": 100, "toll_free": 3, "short_code": 10}
    assert table.campaigns.numbers == 49
    assert all(entry.source for entry in (*table.tiers, *table.classes, *table.number_rates, table.campaigns))


def test_a_table_of_tiers_may_have_tiers_and_classes_alone(write: Write, tmp_path: Path) -> None:
    table = tmp_path / "tiers.toml"
    table.write_text(
        "[[tier]]\nname = 'low'\nsegments_per_day = 1\nsource = 's'\n"
        "[[class]]\nname = 'A'\nsegments_per_minute = 1\nscope = 'campaign'\nsource = 's'\n"
    )
    tiers = load(write(with_tiers(table))).tiers
    assert tiers is not None
    assert (tiers.number_rates, tiers.campaigns.numbers) == ((), 49)


def test_a_problem_in_the_table_of_tiers_names_that_file(write: Write, tmp_path: Path) -> None:
    table = tmp_path / "tiers.toml"
    table.write_text("[[tier]]\nname = 'low'\nsegments_per_day = 'many'\nsource = 's'\n")
    problem = check(write(with_tiers(table).split("[[campaign]]")[0]))[0]
    assert problem.file == table
    assert problem.key == '[[tier]] "low": segments_per_day'


OPERATORS = CONFIG / "operators.example.txt"


def test_what_the_file_of_operators_says_is_read(write: Write) -> None:
    operators = load(write(MINIMAL + f"[limits]\noperators = '{OPERATORS}'\n")).operators
    assert operators is not None
    assert [operators.is_t_mobile(f"120655501{n}") for n in ("98", "99")] == [True, False]


@pytest.mark.parametrize(
    ("octets", "problem"),
    [
        (None, "cannot be read: No such file or directory"),
        (b"1206,\xff", "is not UTF-8"),
        (b"# well\n+1206;t-mobile\n", "line 2: is '+1206;t-mobile'; expected such as +1206555,t-mobile"),
        (b"1206,sprint\n1206,att\n", "1206: is T-Mobile's and another operator's; expected one of them"),
    ],
)
def test_a_problem_in_the_file_of_operators_names_it(
    write: Write, tmp_path: Path, octets: bytes | None, problem: str
) -> None:
    path = tmp_path / "operators.txt"
    if octets is not None:
        path.write_bytes(octets)
    assert [str(each) for each in check(write(MINIMAL + "[limits]\noperators = 'operators.txt'\n"))] == [
        f"{path}: {problem}"
    ]


COUNTRIES = CONFIG / "countries.toml"


def test_the_table_of_countries_that_is_shipped_is_read_with_its_sources(write: Write) -> None:
    table = load(write(MINIMAL + f"[limits]\ncountries = '{COUNTRIES}'\n")).countries
    assert table is not None
    assert [country.name for country in table.countries] == ["Canada", "France"]
    assert all(country.source for country in table.countries)


@pytest.mark.parametrize(
    ("keys", "key", "reason"),
    [
        ("prefix = '1'", '"1": prefix', 'is "1"; expected a calling code such as 33, "CA", or 1 and'),
        ("prefix = '1206'", '"1206": prefix', "is of the US or Canada"),
        ("prefix = '1416'", '"1416": prefix', 'expected "CA" for Canada, and none for the US'),
        ("prefix = '33'\nmin_characters = 12", '"33": min_characters', "expected at most max_characters, 11"),
        ("prefix = '33'\nforbidden_sources = ['x']", '"33": forbidden_sources', "expected the first digits"),
    ],
)
def test_a_problem_in_the_table_of_countries_names_that_file(
    write: Write, tmp_path: Path, keys: str, key: str, reason: str
) -> None:
    path = tmp_path / "countries.toml"
    path.write_text(f"[[country]]\nname = 'n'\nsource = 's'\n{keys}\n")
    (problem,) = check(write(MINIMAL + "[limits]\ncountries = 'countries.toml'\n"))
    assert (problem.file, problem.key) == (path, f"[[country]] {key}")
    assert reason in problem.reason


def test_the_loopback_configuration_is_what_make_run_promises() -> None:
    settings = load(CONFIG / "loopback.toml")
    (esme,) = settings.esmes
    (carrier,) = settings.carriers
    (campaign,) = settings.campaigns
    numbers = tuple(f"120655501{n:02}" for n in range(10))
    assert (esme.system_id, esme.password, esme.sources) == ("demo", "demo", numbers)
    assert (settings.listen.port, settings.admin.port) == (2775, 9464)
    assert (carrier.host, carrier.port, carrier.binds, carrier.window) == ("127.0.0.1", 2776, 2, 100)
    assert (campaign.numbers, campaign.status, settings.brands[0].status) == (numbers, "approved", "approved")
    assert (campaign.segments_per_minute, settings.brands[0].segments_per_day) == ("unlimited", "unlimited")
    assert settings.gateway.data_dir == CONFIG / "data" / "loopback"


EXAMPLE = CONFIG / "smppgw.example.toml"


def test_the_example_is_a_configuration_that_works() -> None:
    assert check(EXAMPLE) == []


def settings_tables() -> dict[str, type]:
    """The dataclass of each table, by its name in TOML. What may be None is another file's."""
    hints = get_type_hints(Settings)
    return {
        field.metadata.get("key", field.name): hint if isinstance(hint, type) else get_args(hint)[0]
        for field in dataclasses.fields(Settings)
        if (hint := hints[field.name]) and not isinstance(hint, UnionType)
    }


def key_of(field: dataclasses.Field[Any]) -> str:
    return str(field.metadata.get("key", field.name))


def test_the_example_has_every_key_there_is() -> None:
    document = tomllib.loads(EXAMPLE.read_text())
    shown = {name: table[0] if isinstance(table, list) else table for name, table in document.items()}
    known = {name: {key_of(f) for f in dataclasses.fields(cls)} for name, cls in settings_tables().items()}
    assert {name: set(table) for name, table in shown.items()} == known
    assert set(shown["esme"]["outbind"]) == {key_of(f) for f in dataclasses.fields(OutbindSettings)}


def test_the_example_tells_every_default_as_it_is() -> None:
    told: dict[str, dict[str, str]] = {}
    comment = ""
    for line in EXAMPLE.read_text().splitlines():
        if line.startswith("#"):
            comment += line
        elif table := re.fullmatch(r"\[+(\w+)\]+", line):
            keys = told[table[1]] = {}
            comment = ""
        elif key := re.match(r"(\w+) = ", line):
            keys[key[1]] = comment
            comment = ""
    for name, cls in settings_tables().items():
        for field in dataclasses.fields(cls):
            text = told[name][key_of(field)]
            if name == "gateway" and field.name == "data_dir":
                assert text.endswith("Required")
            elif field.default is dataclasses.MISSING:
                assert text.endswith("Required"), (name, field.name)
            elif field.default is None:
                assert re.search(r"Default: [a-z_ ]+$", text), (name, field.name)
            else:
                found = re.search(r"Default: (\S+)$", text)
                assert found is not None, (name, field.name)
                default = tomllib.loads(f"x = {found[1]}")["x"]
                assert default == (list(field.default) if field.default == () else field.default)
                assert type(default) is type(field.default) or default == [], (name, field.name)
