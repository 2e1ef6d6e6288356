"""What of a text counts when the catalogue is searched, and which words one slip of the finger makes of another."""

import re
import unicodedata

# The rule of folding, read by Python here and by PostgreSQL in `products.indexing`: compatibility forms are taken
# apart, letters made small, marks taken off, and these replaced. None is ASCII: such texts are only made small.
MARKS = "[\u0300-\u036f]"
LETTERS = str.maketrans(
    "øłđðħıŧς×\u2018\u2019\u201a\u201b\u02bc\u201c\u201d\u201e\u00ab\u00bb\u2010\u2012\u2013\u2014\u2212",
    "olddhit\u03c3x'''''\"\"\"\"\"-----",
)
LIGATURES = {"ß": "ss", "œ": "oe", "æ": "ae", "þ": "th"}
# All that is neither a digit nor a letter, as both read it.
BETWEEN_WORDS = r"[\u0001-\u002f\u003a-\u0060\u007b-\u00a9\u2000-\u2bff\u3000-\u303f]+"

# Words that somebody may mistype have so many letters; from so many on they may hold two slips.
SHORTEST, LONGEST = 4, 40
_LONG = 6

_MARKS, _BETWEEN_WORDS, _DIGIT = re.compile(MARKS), re.compile(BETWEEN_WORDS), re.compile("[0-9]")
_REPLACED = LETTERS | str.maketrans(LIGATURES)


def searchable(text: str) -> str:
    """Return a text as it is searched: without case, accents, ligatures and typographer's signs."""
    if text.isascii():
        return text.lower()
    return _MARKS.sub("", unicodedata.normalize("NFKD", text).lower()).translate(_REPLACED)


def words_of(folded: str) -> list[str]:
    """Return the runs of letters and digits in a folded text."""
    return [word for word in _BETWEEN_WORDS.split(folded) if word]


def searchable_name(name: str) -> str:
    """Return a name's words, folded, each between two spaces, so that ` word` finds the start of one.

    Where a name has more than words, it stands once more, as it is, on a second line.
    """
    folded = searchable(name)
    words = f" {' '.join(words_of(folded))} "
    return words if folded in words else f"{words}\n{folded}"


def words_to_spell(name: str) -> set[str]:
    """Return the words of a name that somebody may mistype: of letters alone, neither short nor endless."""
    words = words_of(searchable(name))
    return {word for word in words if SHORTEST <= len(word) <= LONGEST and not _DIGIT.search(word)}


def spellings(word: str) -> set[str]:
    """Return a word, and what is left of it without any one of its letters.

    Two words that are one slip apart share a spelling, whichever slip it is; and many that are two apart.
    """
    return {word, *(word[:at] + word[at + 1 :] for at in range(len(word)))}


def nearest(word: str, words: set[str]) -> list[str]:
    """Return those of `words` that somebody may have meant by `word`, the nearest first."""
    most = 2 if len(word) >= _LONG else 1
    near = sorted((slips(word, other), other) for other in words if abs(len(word) - len(other)) <= most)
    return [other for distance, other in near if 0 < distance <= most]


def slips(one: str, other: str) -> int:
    """Return how many letters are added, dropped, replaced or swapped with their neighbour between two words."""
    older: list[int] = []
    above = list(range(len(other) + 1))
    for at, letter in enumerate(one):
        row = [at + 1]
        for there, goal in enumerate(other):
            cost = min(above[there + 1] + 1, row[there] + 1, above[there] + (letter != goal))
            if at and there and letter == other[there - 1] and one[at - 1] == goal:
                cost = min(cost, older[there - 1] + 1)
            row.append(cost)
        older, above = above, row
    return above[-1]
