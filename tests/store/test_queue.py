from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from smppgw.store.entries import Message
from smppgw.store.queue import Queue


def message(key: int, due_ns: int = 0) -> Message:
    return Message(key, b"%x" % key, "acme", "lane", 4, b"body", 1, 0, due_ns=due_ns)


def keys_of(messages: list[Message]) -> list[int]:
    return [each.key for each in messages]


def test_moments_of_what_stands_aside_no_more_are_forgotten() -> None:
    queue: Queue[Message] = Queue()
    for _ in range(1000):
        queue.defer([message(1, 10**9)])
        queue.remove([1])
    assert len(queue._moments) < 100
    assert queue.wake(0) is None


def test_what_is_put_aside_anew_waits_for_its_new_moment() -> None:
    queue: Queue[Message] = Queue()
    one = message(1, 10)
    queue.defer([one])
    queue.remove([1])
    one.due_ns = 20
    queue.defer([one])
    assert queue.wake(15) == 20
    assert queue.wake(20) is None
    assert keys_of(queue.take(9)) == [1]
    assert one.due_ns == 0


_steps = st.lists(
    st.tuples(st.sampled_from(["add", "take", "give back", "defer", "wake", "remove"]), st.integers(1, 30)),
    max_size=60,
)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(_steps)
def test_a_queue_is_what_is_in_it_in_the_order_of_keys(steps: list[tuple[str, int]]) -> None:
    queue: Queue[Message] = Queue()
    standing: dict[int, Message] = {}
    aside: dict[int, Message] = {}
    out: list[Message] = []
    key = now_ns = 0
    for what, number in steps:
        if what == "add":
            new = [message(key + each) for each in range(1, number + 1)]
            key += number
            queue.add(new)
            standing.update((each.key, each) for each in new)
        elif what == "take":
            taken = queue.take(number)
            assert keys_of(taken) == sorted(standing)[:number]
            out += [standing.pop(each.key) for each in taken]
        elif what == "give back":
            back, out = out[::2][:number], out[1::2] + out[::2][number:]
            queue.give_back(back)
            standing.update((each.key, each) for each in back)
        elif what == "defer":
            later, out = out[:number], out[number:]
            for each in later:
                each.due_ns = now_ns + each.key % 7 + 1
            queue.defer(later)
            aside.update((each.key, each) for each in later)
        elif what == "wake":
            now_ns += number % 5
            next_ns = queue.wake(now_ns)
            due = [each for each in aside.values() if each.due_ns <= now_ns and each.due_ns]
            woken = [key_ for key_, each in aside.items() if each.due_ns == 0]
            assert due == []
            standing.update((key_, aside.pop(key_)) for key_ in woken)
            assert next_ns == min((each.due_ns for each in aside.values()), default=None)
        else:
            keys = range(number, number + 12, 1 + number % 2)
            removed = queue.remove(keys)
            assert sorted(keys_of(removed)) == sorted({*keys} & (standing.keys() | aside.keys()))
            for each in removed:
                (standing if each.key in standing else aside).pop(each.key)
                out.append(each)
        assert (len(queue), queue.deferred) == (len(standing), len(aside))
        assert queue.first is (standing[min(standing)] if standing else None)
    assert keys_of(list(queue)) == [*sorted(standing), *aside]
