"""What became of a message, as retries and lists of numbers go by it: the class of a receipt, and of a refusal.

The same `err` means different things at different carriers, so what it means is said by a carrier's profile
(`ErrorProfile`) and by nothing else. Without one, the specification's words decide: `stat` of a receipt (SMPP v3.4
Appendix B), and command_status (v3.4 section 5.1.3, v5.0 section 4.7.6).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from smppgw.pdu.constants import CommandStatus, MessageState
from smppgw.pdu.receipt import state_of_stat
from smppgw.store.entries import Outcome
from smppgw.tables import ErrorClass, ErrorProfile

ERR_CHARACTERS: Final = 20
"""How much of an `err` is kept: operators write up to eight characters, and a peer may write anything."""

_REMEMBERED: Final = 4096
"""Outcomes that are kept to be given again. Carriers use some dozens; a peer may make up any number."""

_UNKNOWN: Final = int(MessageState.UNKNOWN)

# UNDELIV alone does not say whether the number or the moment was wrong, so it must not condemn the number.
_CLASS_OF_STATE: Final[Mapping[int, ErrorClass]] = {
    MessageState.SCHEDULED: "pending",
    MessageState.ENROUTE: "pending",
    MessageState.DELIVERED: "delivered",
    MessageState.EXPIRED: "expired",
    MessageState.DELETED: "permanent_message",
    MessageState.UNDELIVERABLE: "temporary",
    MessageState.ACCEPTED: "pending",
    MessageState.UNKNOWN: "unknown",
    MessageState.REJECTED: "permanent_message",
    MessageState.SKIPPED: "permanent_message",
}

NO_FAILURE: Final = frozenset[ErrorClass]({"delivered", "pending"})
"""What no `err` is asked about."""

_OPEN: Final = frozenset[ErrorClass]({"temporary", "unknown"})
"""What a word says that leaves the reason open."""

# TON and NPI of a destination are how its number was written: that must not condemn the number either.
_CLASS_OF_STATUS: Final[Mapping[int, ErrorClass]] = {
    **dict.fromkeys(map(int, CommandStatus), "permanent_message"),
    CommandStatus.ESME_ROK: "pending",
    CommandStatus.ESME_RTHROTTLED: "rate",
    CommandStatus.ESME_RMSGQFUL: "rate",
    CommandStatus.ESME_RSYSERR: "temporary",
    CommandStatus.ESME_RINVBNDSTS: "temporary",
    CommandStatus.ESME_RALYBND: "temporary",
    CommandStatus.ESME_RBINDFAIL: "temporary",
    CommandStatus.ESME_RSUBMITFAIL: "temporary",
    CommandStatus.ESME_RX_T_APPN: "temporary",
    CommandStatus.ESME_RDELIVERYFAILURE: "temporary",
    CommandStatus.ESME_RUNKNOWNERR: "temporary",
    CommandStatus.ESME_RSERTYPUNAVAIL: "temporary",
    CommandStatus.ESME_RBCASTFAIL: "temporary",
    CommandStatus.ESME_RINVDSTADR: "permanent_number",
    CommandStatus.ESME_RINVSRCADR: "permanent_sender",
    CommandStatus.ESME_RINVSRCTON: "permanent_sender",
    CommandStatus.ESME_RINVSRCNPI: "permanent_sender",
    CommandStatus.ESME_RINVPASWD: "permanent_sender",
    CommandStatus.ESME_RINVSYSID: "permanent_sender",
    CommandStatus.ESME_RSERTYPUNAUTH: "permanent_sender",
    CommandStatus.ESME_RPROHIBITED: "permanent_sender",
    CommandStatus.ESME_RSERTYPDENIED: "permanent_sender",
}

_WORDS: Final[Mapping[str, str]] = {
    "delivered": "the handset has it",
    "pending": "it is on its way",
    "temporary": "it could not be delivered for now; the number may well be good",
    "permanent_number": "the number cannot get messages",
    "permanent_sender": "the sender may not send this way",
    "permanent_message": "this message was refused or withdrawn; the number may well be good",
    "opted_out": "no more messages are wanted (STOP)",
    "rate": "it was sent faster than the carrier allows",
    "cap": "the cap of the day is used up",
    "expired": "its validity ended before it could be delivered",
    "unknown": "the carrier does not say why",
}


def words(error_class: str) -> str:
    """Return what a class means, for people; a name that is no class stands for itself."""
    return _WORDS.get(error_class, error_class)


def class_of_stat(stat: str, state: int) -> ErrorClass:
    """Return what a receipt says where no profile knows better.

    `state` is its message_state, out of the TLV or out of `stat`; the word counts where the state is UNKNOWN, or none
    that SMPP has.
    """
    if state == _UNKNOWN or state not in _CLASS_OF_STATE:
        state = state_of_stat(stat)
    return _CLASS_OF_STATE[state]


def class_of_status(command_status: int) -> ErrorClass:
    """Return what a response to a submit_sm says where no profile knows better.

    "unknown" is every status that the specification does not have: those of vendors (0x400 to 0x4FF) and reserved
    ones. ESME_ROK is "pending": the carrier has the message.
    """
    return _CLASS_OF_STATUS.get(command_status, "unknown")


def status_number(said: int | str) -> int:
    """Return a command_status that is given as its number or by its name in SMPP v5.0. Raises: KeyError."""
    return int(CommandStatus[said]) if isinstance(said, str) else said


def plain_err(err: str) -> str:
    """Return an `err` as it is compared: without leading zeros, in capitals; "0" for zeros alone, "" for none."""
    return (err.lstrip("0") or err[:1]).upper()


class Meanings:
    """What the errors of one carrier mean."""

    def __init__(self, profile: ErrorProfile | None) -> None:
        """`profile` as `smppgw.config` has checked it; None where the specification's words are all there is."""
        self._errs: dict[str, ErrorClass] = {}
        self._stats: dict[str, ErrorClass] = {}
        self._statuses: dict[int, ErrorClass] = {}
        if profile is not None:
            self._errs = {plain_err(err): said.class_ for said in profile.errs for err in said.err}
            self._stats = {stat.upper(): said.class_ for said in profile.stats for stat in said.stat}
            self._statuses = {
                status_number(status): said.class_
                for said in profile.statuses
                for status in said.command_status
            }
        self._of_receipts: dict[tuple[int, str, str], Outcome] = {}
        self._of_statuses: dict[tuple[int, int], Outcome] = {}

    def receipt(self, state: int, stat: str, err: str) -> Outcome:
        """Return what a receipt says: the same object for the same words (hot path: one look into a dict).

        `state` is its message_state, `stat` and `err` as written, empty where they are missing. What is delivered or
        pending stays so whatever `err` says. Of a failure the profile's meaning of `err` decides, then its meaning of
        `stat`, then `class_of_stat`; but an `err` that stands for "unknown" does not hide what `stat` says of the
        reason, as EXPIRED and REJECTD do.
        """
        outcome = self._of_receipts.get((state, stat, err))
        if outcome is None:
            outcome = Outcome(state, self._class_of_receipt(state, stat, err), err[:ERR_CHARACTERS])
            if len(self._of_receipts) >= _REMEMBERED:
                self._of_receipts.clear()
            self._of_receipts[state, stat, err] = outcome
        return outcome

    def _class_of_receipt(self, state: int, stat: str, err: str) -> ErrorClass:
        word = class_of_stat(stat, state)
        if word in NO_FAILURE:
            return word
        word = self._stats.get(stat.upper(), word)
        if word in NO_FAILURE:
            return word
        said = self._errs.get(plain_err(err))
        if said is None or (said == "unknown" and word not in _OPEN):
            return word
        return said

    def status(self, command_status: int, state: int) -> Outcome:
        """Return what a refusal of a submit_sm says of a message that thereby comes to `state`.

        Its `err` is the command_status in three hexadecimal digits, as receipts of our own carry it: "000" above 0xFFF,
        for which Appendix B has no room.
        """
        outcome = self._of_statuses.get((command_status, state))
        if outcome is None:
            said = self._statuses.get(command_status)
            if said is None:
                said = class_of_status(command_status)
            err = f"{command_status:03X}" if command_status <= 0xFFF else "000"
            outcome = Outcome(state, said, err)
            if len(self._of_statuses) >= _REMEMBERED:
                self._of_statuses.clear()
            self._of_statuses[command_status, state] = outcome
        return outcome
