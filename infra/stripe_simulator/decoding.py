"""Reading what the SDK sends: bracketed forms into nested values, and nested values into checked parameters."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qsl

from infra.stripe_simulator.errors import malformed

MAX_METADATA_KEYS = 50
MAX_METADATA_KEY_LENGTH = 40
MAX_METADATA_VALUE_LENGTH = 500
ADDRESS_FIELDS = ("city", "country", "line1", "line2", "postal_code", "state")


def decode_form(text: str) -> dict[str, Any]:
    """`a[b][0]=1&c[]=2` -> `{"a": {"b": ["1"]}, "c": ["2"]}`. Leaves stay strings.

    Raises ApiError 400 where one name is used both as a value and as a container.
    """
    root: dict[str, Any] = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        _place(root, _split_name(name), value, name)
    return {key: _with_lists(value) for key, value in root.items()}


def _split_name(name: str) -> list[str]:
    head, bracket, rest = name.partition("[")
    if not bracket:
        return [name]
    return [head, *rest.removesuffix("]").split("][")]


def _place(root: dict[str, Any], parts: list[str], value: str, name: str) -> None:
    node = root
    for part in parts[:-1]:
        child = node.setdefault(part, {})
        if not isinstance(child, dict):
            raise malformed(f"Invalid object: {name}", param=parts[0])
        node = child
    last = parts[-1] or str(len(node))
    if isinstance(node.get(last), dict):
        raise malformed(f"Invalid object: {name}", param=parts[0])
    node[last] = value


def _with_lists(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    children = {key: _with_lists(child) for key, child in value.items()}
    if children and all(key.isdigit() for key in children):
        return [children[key] for key in sorted(children, key=int)]
    return children


class Params:
    """The parameters of one call, read by name and type.

    A name that is not in `allowed` is refused as Stripe refuses an unknown one: a parameter the simulator does not
    model is better refused than silently ignored.
    """

    def __init__(self, values: dict[str, Any], allowed: Iterable[str]) -> None:
        self.values = values
        known = {*allowed, "expand"}
        for name in values:
            if name not in known:
                raise malformed(f"Received unknown parameter: {name}", code="parameter_unknown", param=name)

    def __contains__(self, name: str) -> bool:
        return name in self.values

    def require(self, name: str) -> None:
        """Raises ApiError 400 `parameter_missing`."""
        if name not in self.values:
            raise malformed(f"Missing required param: {name}.", code="parameter_missing", param=name)

    def text(self, name: str, default: str | None = None, *, clearable: bool = False) -> str | None:
        """A string. An empty one means 'unset' where that is allowed and is refused elsewhere."""
        if name not in self.values:
            return default
        value = self.values[name]
        if not isinstance(value, str):
            raise malformed(f"Invalid string: {value}", param=name)
        if value == "":
            if clearable:
                return None
            raise malformed(
                f"You passed an empty string for '{name}'. We assume empty values are an attempt to unset a "
                f"parameter; however '{name}' cannot be unset. You should remove '{name}' from your request or "
                "supply a non-empty value.",
                code="parameter_invalid_empty",
                param=name,
            )
        return value

    def integer(self, name: str, default: int | None = None, *, minimum: int | None = None) -> int | None:
        """A whole number; amounts are minor units. Raises ApiError 400 `parameter_invalid_integer`."""
        if name not in self.values:
            return default
        try:
            number = int(self.values[name])
        except (TypeError, ValueError):
            raise malformed(
                f"Invalid integer: {self.values[name]}", code="parameter_invalid_integer", param=name
            ) from None
        if minimum is not None and number < minimum:
            raise malformed(
                f"This value must be greater than or equal to {minimum}.",
                code="parameter_invalid_integer",
                param=name,
            )
        return number

    def boolean(self, name: str, default: bool = False) -> bool:
        """`true` or `false`, as the SDK writes them."""
        value = self.values.get(name)
        if value is None:
            return default
        if value not in ("true", "false"):
            raise malformed(f"Invalid boolean: {value}", param=name)
        return bool(value == "true")

    def choice(self, name: str, options: Iterable[str], default: str | None = None) -> str | None:
        """One of a fixed list of words."""
        value = self.text(name, default)
        known = list(options)
        if value is not None and value not in known:
            listed = f"{', '.join(known[:-1])}, or {known[-1]}" if len(known) > 1 else known[0]
            raise malformed(f"Invalid {name}: must be one of {listed}", param=name)
        return value

    def mapping(self, name: str) -> dict[str, Any] | None:
        """A nested object, or None when absent or emptied."""
        value = self.values.get(name)
        if value is None or value == "":
            return None
        if not isinstance(value, dict):
            raise malformed("Invalid object", param=name)
        return value

    def words(self, name: str) -> list[str] | None:
        """A list of strings."""
        value = self.values.get(name)
        if value is None:
            return None
        if not isinstance(value, list) or not all(isinstance(word, str) for word in value):
            raise malformed("Invalid array", param=name)
        return value

    def metadata(self, current: dict[str, str] | None = None) -> dict[str, str]:
        """The metadata after this call: given keys are merged in, an empty value removes its key."""
        merged = dict(current or {})
        if "metadata" not in self.values:
            return merged
        if self.values["metadata"] == "":
            return {}
        for key, value in (self.mapping("metadata") or {}).items():
            _check_metadata(key, value)
            if value == "":
                merged.pop(key, None)
            else:
                merged[key] = value
        if len(merged) > MAX_METADATA_KEYS:
            raise malformed(f"You can have up to {MAX_METADATA_KEYS} keys in metadata.", param="metadata")
        return merged


def _check_metadata(key: str, value: Any) -> None:
    if not isinstance(value, str):
        raise malformed("Metadata values must be strings.", param=f"metadata[{key}]")
    if len(key) > MAX_METADATA_KEY_LENGTH:
        raise malformed(
            f"Metadata keys must be at most {MAX_METADATA_KEY_LENGTH} characters long.",
            param=f"metadata[{key}]",
        )
    if len(value) > MAX_METADATA_VALUE_LENGTH:
        raise malformed(
            f"Metadata values must be at most {MAX_METADATA_VALUE_LENGTH} characters long.",
            param=f"metadata[{key}]",
        )


def tidy(value: Any) -> Any:
    """Nested parameters as they are shown back: the words true and false become booleans."""
    if isinstance(value, dict):
        return {key: tidy(child) for key, child in value.items()}
    if isinstance(value, list):
        return [tidy(child) for child in value]
    return {"true": True, "false": False, "": None}.get(value, value)


def full_address(given: Any) -> dict[str, Any] | None:
    """An address with all of Stripe's fields, or None. Raises ApiError 400 for anything but an object."""
    if given and not isinstance(given, dict):
        raise malformed("Invalid object", param="address")
    return {field: given.get(field) or None for field in ADDRESS_FIELDS} if given else None
