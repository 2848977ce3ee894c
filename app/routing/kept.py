"""What is worked out when it is first asked for, and kept: as `functools.cached_property`, without the lock that one
takes until Python 3.12. Of a decision, which asks for some thirty such values, that lock is a twentieth.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, Self, TypeVar, overload

Value = TypeVar("Value")


class kept(Generic[Value]):
    """A property of an object that has a `__dict__`, asked for by one thread."""

    def __init__(self, make: Callable[[Any], Value]) -> None:
        self._make, self.__doc__ = make, make.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, of: None, owner: type) -> Self: ...
    @overload
    def __get__(self, of: object, owner: type) -> Value: ...
    def __get__(self, of: Any, owner: type) -> Any:
        if of is None:
            return self
        value = of.__dict__[self._name] = self._make(of)
        return value
