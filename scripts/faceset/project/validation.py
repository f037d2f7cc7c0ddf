"""Checking settings: what config.yaml may hold, as models made from the sections of `config`."""

import dataclasses
import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Self, cast, get_args, get_origin

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    create_model,
    field_validator,
    model_validator,
)

from faceset.errors import FacesetError
from faceset.hints import hint
from faceset.project.config import Config, Cutting
from faceset.project.paths import user_path


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, defer_build=True)

    @model_validator(mode="before")
    @classmethod
    def _empty_means_default(cls, values: Any) -> Any:
        """In YAML a key with nothing behind it has the value None."""
        if isinstance(values, dict):
            return {key: value for key, value in values.items() if value is not None}
        return {} if values is None else values

    @field_validator("*", mode="before")
    @classmethod
    def _true_is_no_number(cls, value: Any, info: ValidationInfo) -> Any:
        """To Python `true` is 1; in a config it is the value of another key."""
        annotation = cls.model_fields[str(info.field_name)].annotation
        if isinstance(value, bool) and {int, float} & {annotation, *get_args(annotation)}:
            raise ValueError("expected a number")
        return value


class _Cutting(_Section):
    @model_validator(mode="after")
    def _one_limit(self) -> Self:
        if getattr(self, "large", False) and "min_size_percent" in self.model_fields_set:
            raise ValueError("`large: true` stands for `min_size_percent: 100`; write one of the two")
        return self


_BASES: dict[type, type[BaseModel]] = {Cutting: _Cutting}


@functools.cache
def model_of(section: type) -> type[BaseModel]:
    """The pydantic model that checks a section of the config."""
    base = _BASES.get(section) or (_Section if section.__base__ is object else model_of(cast(type, section.__base__)))
    fields: dict[str, Any] = {}
    for field in dataclasses.fields(section):
        if field.metadata:
            meaning = dict(field.metadata)
            kind = _checked_kind(field.type)
            if meaning.pop("path", False):
                kind = Annotated[kind, AfterValidator(_check_path)]
            fields[field.name] = (kind, Field(default=_checked_default(field), **meaning))
    return create_model(section.__name__, __base__=base, __doc__=section.__doc__, **fields)


def _checked_kind(kind: Any) -> Any:
    if dataclasses.is_dataclass(kind):
        return model_of(cast(type, kind))
    if get_origin(kind) is dict:
        return dict.__class_getitem__((str, _checked_kind(get_args(kind)[1])))
    return kind


def _checked_default(field: "dataclasses.Field[Any]") -> Any:
    default: Any = field.default
    if field.default_factory is not dataclasses.MISSING:
        default = field.default_factory()
    if isinstance(default, dict):
        return {name: model_of(value.__class__)() for name, value in default.items()}
    return model_of(default.__class__)() if dataclasses.is_dataclass(default) else default


def _check_path(text: str | None) -> str | None:
    """Raise ValueError for a setting that cannot be a path; it stays the text it is."""
    if text is not None:
        user_path(text)
    return text


def check_yaml(path: Path) -> None:
    """Raise FacesetError, with the place, if there is a file at `path` that is no YAML mapping."""
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise FacesetError(f"{path}: cannot be read as YAML: {error}") from error
    if not isinstance(content, dict | None):
        raise FacesetError(f"{path}: expected keys and values, as `sources: config/sources.tsv`.")


def load_config(values: Mapping[str, Any]) -> Config:
    """The settings in `values` (config.yaml as read), checked, with defaults filled in.

    Raises FacesetError naming the key, what was expected and, for an unknown key, the nearest known one.
    """
    try:
        return cast(Config, _settled(Config, model_of(Config).model_validate(dict(values))))
    except ValidationError as error:
        first = error.errors()[0]
        location = [str(part) for part in first["loc"]]
        if first["type"] == "extra_forbidden":
            said = hint(location[-1], _known_keys(location[:-1]))
            raise FacesetError(f"config.yaml: unknown key {'.'.join(location)}; {said}") from error
        message = first["msg"].removeprefix("Value error, ")
        raise FacesetError(
            f"config.yaml: {'.'.join(location)} is {first['input']!r:.200}: {message[:1].lower()}{message[1:]}."
        ) from error


def _known_keys(path: list[str]) -> list[str]:
    section = model_of(Config)
    parts = iter(path)
    for part in parts:
        annotation = section.model_fields[part].annotation
        kinds = [kind for kind in (annotation, *get_args(annotation)) if isinstance(kind, type)]
        section = next(kind for kind in kinds if issubclass(kind, BaseModel))
        if section is not annotation:  # a mapping: what follows is a name of the user's
            next(parts, None)
    return list(section.model_fields)


def _settled(section: type, checked: BaseModel) -> Any:
    values = {
        field.name: _settled_value(field.type, getattr(checked, field.name))
        for field in dataclasses.fields(section)
        if field.metadata
    }
    if issubclass(section, Cutting):
        values["given"] = tuple(sorted(checked.model_fields_set))
    return section(**values)


def _settled_value(kind: Any, value: Any) -> Any:
    if isinstance(value, BaseModel):
        return _settled(cast(type, kind), value)
    if isinstance(value, dict):
        return {name: _settled_value(get_args(kind)[1], part) for name, part in value.items()}
    return value
