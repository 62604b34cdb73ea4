"""YAML as people mean it: keys once, and 1e-3 a number."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from . import _core

if TYPE_CHECKING:
    from collections.abc import Mapping


def read(text: str) -> Any:
    """Plain data. Raises ConfigError: not YAML, or a key is there twice."""
    import yaml

    class Loader(yaml.SafeLoader):  # type: ignore[misc]
        def construct_mapping(self, node: Any, deep: bool = False) -> Any:
            keys = [key.value for key, _ in node.value]
            for key in keys:
                if isinstance(key, str) and keys.count(key) > 1:
                    raise yaml.constructor.ConstructorError(
                        None, None, f"the key '{key}' is there twice", node.start_mark
                    )
            return super().construct_mapping(node, deep)

    _resolve_exponents(Loader)
    try:
        return yaml.load(text, Loader=Loader)  # noqa: S506 (a SafeLoader)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise _core.ConfigError("not YAML: " + " ".join(str(error).split())) from None


def write(content: Mapping[str, Any]) -> str:
    """What `read` reads."""
    import yaml

    class Dumper(yaml.SafeDumper):  # type: ignore[misc]
        pass

    _resolve_exponents(Dumper)
    text: str = yaml.dump(content, Dumper=Dumper, sort_keys=False)
    return text


def _resolve_exponents(resolver: Any) -> None:
    """YAML 1.1 takes 1e-3 for text."""
    number = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)[eE][-+]?\d+$")
    resolver.add_implicit_resolver("tag:yaml.org,2002:float", number, list("-+.0123456789"))
