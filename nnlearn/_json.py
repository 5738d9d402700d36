"""JSON, strictly: what is not exactly one meaning is refused."""

import json
import math
from typing import Any, NoReturn

#: Digits of an integer: enough for 2^64 - 1, and few enough for any work with it to be quick.
_DIGITS = 20


def parse(data: bytes) -> Any:
    """The value of a JSON text in UTF-8; ValueError, saying what is wrong, for anything else.

    So for a key that comes twice, NaN and Infinity, numbers beyond what a float or 20 digits hold,
    and what is nested deeper than Python goes.
    """
    try:
        return json.loads(
            data.decode(),
            object_pairs_hook=_object,
            parse_constant=_constant,
            parse_int=_integer,
            parse_float=_float,
        )
    except UnicodeDecodeError as error:
        raise ValueError(f"no UTF-8 at byte {error.start}") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"no JSON: {error.msg} at character {error.pos}") from None
    except RecursionError:
        raise ValueError("JSON that is nested too deeply") from None


def dump(value: Any) -> str:
    """The value as JSON in ASCII, keys sorted."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) < len(pairs):
        raise ValueError("JSON with a key that comes twice")
    return result


def _constant(name: str) -> NoReturn:
    raise ValueError(f"JSON with {name}, which is no number")


def _integer(text: str) -> int:
    if len(text.lstrip("-")) > _DIGITS:
        raise ValueError(f"JSON with an integer of {len(text)} digits")
    return int(text)


def _float(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"JSON with {text[:30]}, which no float holds")
    return number
