"""Which token counts does an answer report, so that no two answers can be confused?"""

from __future__ import annotations

from collections import Counter
from itertools import count

from agent.local.journal import TokenUsage

ANSWERS_PER_BAND = 256
# Odd, so that each runs through all places of a band; and unlike, so that differences and sums of an answer's numbers
# (such as its uncached input), which some backends show in their stead, hardly ever come twice either.
STEPS = (7, 83, 229, 27)
# The 25 primes below 100 are left out: a small number could be mistaken for something else that a trace counts.
FIRST_PRIME = 25


def primes(number: int) -> list[int]:
    """Return the first `number` primes, or more."""
    limit = 1024
    while True:
        sieve = bytearray([1]) * limit
        sieve[:2] = b"\0\0"
        for factor in range(2, int(limit**0.5) + 1):
            if sieve[factor]:
                sieve[factor * factor :: factor] = bytes(len(range(factor * factor, limit, factor)))
        found = [candidate for candidate in range(limit) if sieve[candidate]]
        if len(found) >= number:
            return found
        limit *= 2


class PrimeUsage:
    """Gives each answer four primes that no other answer has.

    The numbers follow from what was asked and how often that has been answered before, not from the order of
    different requests, so parallel calls get the same numbers in every run. (Only where two different requests fall
    on the same place, which is rare, does the second to be answered take the next free one.) Bands of 256 answers are
    filled one after the other. Within a band the four numbers come from ranges that are disjoint and ascending:
    reasoning, output, cached, input; so reasoning is always less than output, and cached less than input.
    """

    def __init__(self) -> None:
        self._answered: Counter[bytes] = Counter()
        self._band = 0
        self._taken: set[int] = set()
        self._primes: list[int] = []

    def next(self, digest: bytes) -> tuple[int, TokenUsage]:
        """Take the numbers for one more answer.

        Args:
            digest: A digest, of 8 bytes or more, of what was asked.

        Returns:
            How many times this has been answered, this one included, and the tokens that the answer used.
        """
        self._answered[digest] += 1
        occurrence = self._answered[digest]
        if len(self._taken) == ANSWERS_PER_BAND:
            self._band, self._taken = self._band + 1, set()
        wanted = int.from_bytes(digest[:8], "big") + occurrence
        place = next(at for step in count() if (at := (wanted + step) % ANSWERS_PER_BAND) not in self._taken)
        self._taken.add(place)
        first = FIRST_PRIME + self._band * len(STEPS) * ANSWERS_PER_BAND
        chosen = [
            first + number * ANSWERS_PER_BAND + place * step % ANSWERS_PER_BAND for number, step in enumerate(STEPS)
        ]
        if chosen[-1] >= len(self._primes):
            self._primes = primes(chosen[-1] + 1)
        reasoning, output, cached, prompt = (self._primes[index] for index in chosen)
        return occurrence, TokenUsage(
            input_tokens=prompt, cached_tokens=cached, output_tokens=output, reasoning_tokens=reasoning
        )
