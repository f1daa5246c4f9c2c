"""Filters of lists as tables: a parameter's name, and what its text asks of which column."""

from collections.abc import Callable, Mapping, Sequence

Condition = tuple[str, list[object]]
Filter = Callable[[Sequence[str]], Condition | None]
"""Makes a condition of the texts given for one parameter; None is no condition at all."""


class FilterError(ValueError):
    """A strict filter that cannot be read; ``name`` is the parameter's."""

    def __init__(self, name: str, words: str) -> None:
        super().__init__(words)
        self.name = name


def compare(column: str, sign: str, read: Callable[[str], object | None] = str) -> Filter:
    """A column against what is read of the last text; what reads as None is no filter at all."""

    def condition(texts: Sequence[str]) -> Condition | None:
        value = read(texts[-1])
        return None if value is None else (f"{column} {sign} ?", [value])

    return condition


def exactly(column: str) -> Filter:
    """The column equals the last text in every letter's case; its index, without, is used."""
    both = f"({column} = ? AND {column} COLLATE BINARY = ?)"
    return lambda texts: (both, [texts[-1]] * 2)


def one_of(column: str, wanted: Sequence[object]) -> Condition:
    """The column holds one of these, whatever the case of texts."""
    return f"{column} COLLATE NOCASE IN ({','.join('?' * len(wanted))})", list(wanted)


def like(*columns: str) -> Filter:
    """One of the columns holds the last text, whatever its case."""
    either = " OR ".join(f"instr(lowered({column}), ?)" for column in columns)
    return lambda texts: (f"({either})", [texts[-1].lower()] * len(columns))


def where(asked: Mapping[str, Sequence[str]], table: Mapping[str, Filter]) -> Condition:
    """The SQL of all filters that are asked for and known, and its values.

    Raises:
        FilterError: A filter's reader raised ValueError.
    """
    conditions = []
    for name in asked.keys() & table.keys():
        try:
            conditions.append(table[name](asked[name]))
        except ValueError as unreadable:
            raise FilterError(name, str(unreadable)) from unreadable
    texts, values = zip(*filter(None, conditions), strict=True) if any(conditions) else ((), ())
    return " AND ".join(texts) or "1", [value for of_one in values for value in of_one]
