"""The parameters of a build, resolved from the files that people write: one complete set of values.

    params.yaml  <  `recipe` of the product file  <  the profile  <  key=value of the command

with `product` and `sources` of the product file: the user's product.yaml, or the demonstration
product where there is none, or the file that a profile or `--product` names. A build writes the
outcome, every default spelled out, to build.yaml of its workspace; DVC and the stages read that
file alone.
"""

import difflib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from flows.planning.arithmetic import decided
from pipeline.core.errors import ParameterError
from pipeline.core.files import write_text
from pipeline.core.params import (
    SOURCES,
    Params,
    as_values,
    parse_change,
    parse_params,
    read_mapping,
    with_values,
)
from pipeline.core.paths import Paths

COMMAND = "the command"
PRODUCT_FILE = "product_file"
"""Key of a profile that names its product."""

_GUIDE = "docs/guide/your-own-data.md"
_SECTIONS = ("product", "sources", "recipe")
_HEAD = (
    "# Made by Modelyard of the product file, params.yaml and what the command says: edit those.\n"
)


@dataclass(frozen=True, kw_only=True)
class Variation:
    """How a build differs from the one in the project's folder.

    Attributes:
        product: a product file, or the name of a product that has one here; empty for the user's.
        profile: name of a file in profiles/; empty for none.
        changes: `section.key=value` lines.
    """

    product: str = ""
    profile: str = ""
    changes: Sequence[str] = ()

    @property
    def is_plain(self) -> bool:
        """Whether nothing differs, so that the build belongs into the project's folder."""
        return not (self.product or self.profile or self.changes)


PLAIN = Variation()
DEMONSTRATION = Variation(product="products/movie-reviews.yaml")
"""The product that benchmarks build, whatever the user's is."""


@dataclass(frozen=True, kw_only=True)
class Written:
    """Values that a person wrote, and the name of the file, or the command, in which they stand."""

    place: str
    values: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Layers:
    """All that a build is resolved from, as it is written.

    Attributes:
        recipe: the sections of params.yaml.
        product: `product`, `sources` and `recipe` of the product file.
        changes: values of dotted keys, the later ones stronger.
    """

    recipe: Written
    product: Written
    changes: Sequence[Written] = ()

    def place_of(self, key: str) -> str:
        """The place in which the value of a dotted key stands; of "", all places."""
        if not key:
            places = [self.recipe.place, self.product.place, *(c.place for c in self.changes)]
            return " or ".join(dict.fromkeys(places))
        for layer in reversed([self.own_recipe, *self.changes]):
            if any(f"{key}.".startswith(f"{name}.") for name in layer.values):
                return layer.place
        asked = key.split(".", maxsplit=1)[0] == "product" or f"{key}.".startswith(f"{SOURCES}.")
        return (self.product if asked else self.recipe).place

    def says(self, key: str) -> bool:
        """Whether a value of the dotted key is written anywhere; else it is a default."""
        for layer in (self.own_recipe, *self.changes):
            if any(f"{key}.".startswith(f"{n}.") or n.startswith(f"{key}.") for n in layer.values):
                return True
        first, *rest = key.split(".")
        if first == "product":
            return _has(self.product.values.get(first), rest)
        if f"{key}.".startswith(f"{SOURCES}."):
            return _has(self.product.values.get("sources"), rest[1:])
        return True

    @property
    def own_recipe(self) -> Written:
        """The values of the recipe that the product changes."""
        return Written(place=self.product.place, values=self.product.values.get("recipe") or {})


def resolve(layers: Layers) -> Params:
    """The parameters that the layers come to, checked; what a customer may leave out has its default.

    Raises:
        ParameterError: a value is wrong; the message names the place in which it stands.
    """
    _check_recipe(layers.recipe)
    _check_product(layers.product)
    product, recipe = layers.product.values, dict(layers.recipe.values)
    values = {"product": product["product"], **recipe}
    collect = recipe.get("collect", {})
    values["collect"] = {"sources": product["sources"], **collect} if collect is not None else None
    for layer in (layers.own_recipe, *layers.changes):
        place = "" if layer.place == COMMAND else layer.place
        values = with_values(values, layer.values, place=place)
    return parse_params(values, place_of=layers.place_of)


def resolved(root: Path, variation: Variation = PLAIN) -> Params:
    """The parameters of a build in the project `root`, resolved from its files as they are now."""
    return resolve(read_layers(root, variation))


def read_layers(root: Path, variation: Variation = PLAIN) -> Layers:
    """Reads all that a build of this variation is resolved from."""
    recipe, product = Paths(root).recipe, product_file(root, variation)
    profile = _profile(root, variation)
    again = f"restore it with `git checkout {recipe.name}`"
    command = dict(map(parse_change, variation.changes))
    return Layers(
        recipe=Written(place=recipe.name, values=read_mapping(recipe, next_step=again)),
        product=Written(place=_shown(root, product), values=read_product(product)),
        changes=[
            *([profile] if profile else []),
            *([Written(place=COMMAND, values=command)] if command else []),
        ],
    )


def product_file(root: Path, variation: Variation = PLAIN) -> Path:
    """The product file of a variation: named by it, or by its profile, or the user's, or the
    demonstration's.
    """
    if variation.product:
        return find_product(root, variation.product)
    named = read_profile(root, variation.profile).get(PRODUCT_FILE) if variation.profile else None
    if named is not None:
        return root / str(named)
    own = Paths(root).product
    return own if own.exists() else Paths(root).demonstration


def find_product(root: Path, given: str) -> Path:
    """The product file that is meant by its path, or by the name of its product.

    Raises:
        ParameterError: there is no such file, and no file here whose product has that name.
    """
    if (root / given).is_file():
        return root / given
    named = {name: file for file in known_files(root) if (name := _name_in(file))}
    if given in named:
        return named[given]
    known = [*named, *(_shown(root, file) for file in named.values())]
    near = difflib.get_close_matches(given, known, n=1, cutoff=0.5)
    raise ParameterError(
        f"no product {given!r}",
        expected=f"a product file, or the name of one of: {', '.join(named) or '(none is here)'}",
        next_step=f"did you mean `{near[0]}`?" if near else f"write {given}; {_GUIDE} shows how",
    )


def known_files(root: Path) -> list[Path]:
    """The product files of the project: product.yaml, and all in products/."""
    files = [Paths(root).product, *sorted(Paths(root).demonstration.parent.glob("*.yaml"))]
    return [file for file in files if file.is_file()]


def read_product(path: Path) -> dict[str, Any]:
    """The sections of a product file, not yet checked."""
    if not path.exists():
        raise ParameterError(
            f"there is no {path.name}",
            expected="a product file",
            next_step=f"write it ({_GUIDE}), or `git checkout {path.name}` if it came with git",
        )
    return read_mapping(path, next_step=f"correct the file; {_GUIDE} shows one")


def read_profile(root: Path, name: str) -> dict[str, Any]:
    """The values that `profiles/<name>.yaml` holds: dotted key → value, and perhaps its product."""
    path = root / "profiles" / f"{name}.yaml"
    if not path.is_file():
        known = sorted(file.stem for file in path.parent.glob("*.yaml"))
        raise ParameterError(
            f"no profile {name!r}",
            expected=f"one of: {', '.join(known) or '(none are there)'}",
            next_step=f"write profiles/{name}.yaml, or name one of these",
        )
    return read_mapping(path, next_step="write dotted keys, as finetune.epochs: 1")


def change_lines(root: Path, variation: Variation) -> list[str]:
    """The changes of a variation's profile and command, as `section.key=value` lines."""
    profile = _profile(root, variation)
    values = profile.values if profile else {}
    lines = [f"{key}={json.dumps(value, ensure_ascii=False)}" for key, value in values.items()]
    return [*lines, *variation.changes]


def shared_values(root: Path, variation: Variation) -> dict[str, Any]:
    """The content of a profile that asks for the same as the variation: its product and values."""
    profile = read_profile(root, variation.profile) if variation.profile else {}
    named = variation.product or PRODUCT_FILE in profile
    product = {PRODUCT_FILE: _shown(root, product_file(root, variation))} if named else {}
    return product | dict(map(parse_change, change_lines(root, variation)))


def write_build_file(workspace: Path, params: Params) -> None:
    """Writes build.yaml of a workspace, where it does not say the same already."""
    text = _HEAD + yaml.safe_dump(as_values(params), sort_keys=False, allow_unicode=True)
    path = Paths(workspace).build
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        write_text(path, text)


def refresh_build_file(root: Path) -> Params:
    """Brings build.yaml of the project's own folder up to date; returns what it says."""
    params = decided(root, resolved(root))
    write_build_file(root, params)
    return params


def _profile(root: Path, variation: Variation) -> Written | None:
    """The values of the variation's profile; with another product, under a name of that product's."""
    if not variation.profile:
        return None
    values = read_profile(root, variation.profile)
    named = values.pop(PRODUCT_FILE, None)
    if named is not None and variation.product and "product.name" in values:
        own = _name_in(find_product(root, variation.product))
        values["product.name"] = f"{own}-{variation.profile}"
    return Written(place=f"profiles/{variation.profile}.yaml", values=values)


def _check_recipe(recipe: Written) -> None:
    """Raises ParameterError where params.yaml still holds what a product file holds now."""
    collect = recipe.values.get("collect")
    inside = [name for name in _SECTIONS if name in recipe.values]
    inside += [SOURCES] if isinstance(collect, dict) and "sources" in collect else []
    if inside:
        raise ParameterError(
            f"{recipe.place} holds {' and '.join(f'`{name}`' for name in inside)}",
            expected="the recipe alone: what you want and your texts stand in product.yaml",
            next_step="move `product:` as it is, and `collect.sources` as `sources:`, into a file "
            f"product.yaml beside it ({_GUIDE}, An older params.yaml)",
        )


def _check_product(product: Written) -> None:
    """Raises ParameterError where a product file lacks a section, or has one that there is not."""
    for name in product.values:
        if name not in _SECTIONS:
            near = difflib.get_close_matches(str(name), _SECTIONS, n=1, cutoff=0.5)
            raise ParameterError(
                f"unknown key {name} in {product.place}",
                expected=f"one of: {', '.join(_SECTIONS)}",
                next_step=f"did you mean `{near[0]}`?"
                if near
                else f"{_GUIDE} shows a product file",
            )
    for name in ("product", "sources"):
        if product.values.get(name) is None:
            raise ParameterError(
                f"{name} is missing from {product.place}",
                expected="`product` with at least `name` and `labels`, and `sources`, each with at "
                "least `name`, `path` and `text_column`",
                next_step=f"add {name} to {product.place}; {_GUIDE} shows how",
            )
    _check_own_recipe(product.values.get("recipe") or {}, product.place)


def _check_own_recipe(recipe: Any, place: str) -> None:
    for key in recipe if isinstance(recipe, dict) else [recipe]:
        inner = recipe[key] if isinstance(recipe, dict) else None
        example = f"{key}.{next(iter(inner))}" if isinstance(inner, dict) and inner else key
        if not isinstance(recipe, dict) or "." not in str(key):
            raise ParameterError(
                f"recipe: {key} in {place}",
                expected="keys of params.yaml with their section, each with a value",
                next_step=f"write it as `{example if '.' in str(example) else 'finetune.epochs'}: …`",
            )
        if str(key).split(".")[0] == "product" or f"{key}.".startswith(f"{SOURCES}."):
            raise ParameterError(
                f"recipe: {key} in {place}",
                expected="keys of params.yaml",
                next_step="write it under `product` or `sources` of the same file",
            )


def _has(values: Any, keys: Sequence[str]) -> bool:
    """Whether nested values, or those of any entry of a list, have the keys."""
    if isinstance(values, list):
        return any(_has(entry, keys) for entry in values)
    if not keys:
        return values is not None
    return isinstance(values, dict) and keys[0] in values and _has(values[keys[0]], keys[1:])


def _name_in(path: Path) -> str:
    """The name of the product in a file; empty where it names none."""
    product = read_product(path).get("product")
    return str(product.get("name", "")) if isinstance(product, dict) else ""


def _shown(root: Path, path: Path) -> str:
    """A path as a person writes it: from the project's folder, where it is inside."""
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)
