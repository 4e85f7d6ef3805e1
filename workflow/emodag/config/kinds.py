"""What values of the configuration may be: numbers, names, files and stores, as YAML reads them."""

from datetime import date
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field

from ledger.remote.address import divided
from ledger.remote.signing import public_key
from ledger.store.place import at_home


def _as_written(name: Any) -> Any:
    """The text in a table: whole numbers need no quotes, but YAML's no is none."""
    if isinstance(name, bool):
        words = "yes, on or true" if name else "no, off or false"
        raise ValueError(f"YAML reads {words} without quotes as a truth value: write it in quotes")
    if name is None:
        raise ValueError("YAML reads null, ~ or nothing at all as no value: write it in quotes")
    if isinstance(name, dict):
        raise ValueError("YAML reads ? and : without quotes as its own marks: write it in quotes")
    if isinstance(name, float | date):
        kind = "number" if isinstance(name, float) else "time"
        raise ValueError(f"{name} is a {kind}: write it in quotes, as in the table")
    return str(name) if isinstance(name, int) else name


def _as_written_if_any(name: Any) -> Any:
    return None if name is None else _as_written(name)


def _stores(stores: str | list[str]) -> str | list[str]:
    divided(stores)
    return stores


def _public_key(text: str) -> str:
    public_key(text)
    return text


Positive = Annotated[int, Field(ge=1)]
Share = Annotated[float, Field(ge=0, lt=1)]
Written = Annotated[str, BeforeValidator(_as_written)]
ClassName = Annotated[str, Field(min_length=1), BeforeValidator(_as_written)]
Column = Annotated[str | None, BeforeValidator(_as_written_if_any)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,63}$")]
File = Annotated[str, AfterValidator(at_home)]
Files = File | Annotated[list[File], Field(min_length=1)]
Stores = Annotated[Files, AfterValidator(_stores)]
PublicKey = Annotated[str, AfterValidator(_public_key)]
