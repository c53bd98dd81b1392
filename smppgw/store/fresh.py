"""What was accepted, and nobody has asked for yet."""

from __future__ import annotations

from collections.abc import Sequence

from smppgw.store.entries import Message


class Fresh:
    """Messages in the order of acceptance, which is that of their keys (hot path: whole lists come and go)."""

    __slots__ = ("messages",)

    def __init__(self) -> None:
        self.messages: list[Message] = []
        """What is durable is put to its end."""

    def take(self) -> list[Message]:
        """Take out all of them."""
        taken = self.messages
        if taken:
            self.messages = []
        return taken

    def claim(self, messages: Sequence[Message]) -> None:
        """Take these out, if they are there: somebody has them without having asked."""
        fresh = self.messages
        if fresh and messages and max([message.key for message in messages]) >= fresh[0].key:
            claimed = {message.key for message in messages}
            self.messages = [message for message in fresh if message.key not in claimed]
