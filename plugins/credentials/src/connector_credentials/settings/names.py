"""Names that no setting has: nearly a setting's stop the run, others have no effect and are told.

A misspelt setting is the one that is silently not heard. What others put under the same prefix is
passed over: Meltano's own variables, those of inherited plugins, Kubernetes' service links and what
the Singer SDK knows.
"""

import re
from collections.abc import Iterable, Iterator, Mapping

from .values import SettingError

_OF_THE_SDK = re.compile(
    r"(stream_maps|stream_map_config|faker_config|sql_options)(_.+)?|flattening_\w+|batch_\w+"
    r"|add_record_metadata|load_method|process_activate_version_messages|validate_records|loglevel"
)
_SERVICE_LINK = re.compile(
    r"(.+_)?(SERVICE_HOST|SERVICE_PORT(_.+)?|PORT_[0-9]+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)"
)
_SERVICE_ADDRESS = re.compile(r"(tcp|udp|sctp)://")
_PLUGIN = re.compile(r"MELTANO_[A-Z]+_NAME")


def ours(environment: Mapping[str, str], prefix: str) -> dict[str, str]:
    """What the environment holds for us, by name without the prefix, in small letters."""
    inherited = tuple(
        f"{name.upper().replace('-', '_')}_"
        for variable, name in environment.items()
        if _PLUGIN.fullmatch(variable)
    )
    return {
        rest.lower(): value
        for variable, value in environment.items()
        if (rest := variable.removeprefix(prefix)) != variable
        and not rest.startswith("_")  # Meltano's extras, and plugins named `…--eu`
        and not any(variable.startswith(one) for one in inherited if len(one) > len(prefix))
        and not _is_service_link(rest, value)
    }


def _is_service_link(name: str, value: str) -> bool:
    if _SERVICE_LINK.fullmatch(name):
        return True
    return f"_{name}".endswith("_PORT") and _SERVICE_ADDRESS.match(value) is not None


def unknown(
    names: Iterable[str], known: Iterable[str], removed: Mapping[str, str], *, prefix: str = ""
) -> Iterator[str]:
    """Find the names that have no effect, written as the operator wrote them.

    Args:
        names: Of settings as they were given; small letters if there is a prefix.
        known: Of the settings there are.
        removed: Of settings there were: what to use now, a sentence without its full stop.
        prefix: Of environment variables; empty for the keys of a file.

    Raises:
        SettingError: A name is that of a removed setting, or a slip away from a setting's.
    """
    known = tuple(known)

    def written(name: str) -> str:
        return f"{prefix}{name.upper()}" if prefix else name

    for name in names:
        if name in known or _OF_THE_SDK.fullmatch(name):
            continue
        if name in removed:
            raise SettingError(f"The setting {written(name)} is no more: {removed[name]}.")
        for setting in known:
            if nearly(name.lower(), setting):
                raise _slip(written(name), written(setting))
        yield written(name)


def check_prefix(environment: Iterable[str], known: Iterable[str], prefix: str) -> None:
    """See that no variable is a setting's but for a slip in the prefix.

    Raises:
        SettingError: One is.
    """
    size = len(prefix)
    others = [
        one
        for one in environment
        if not one.startswith(prefix)
        and any(nearly(one[:end], prefix) for end in (size - 1, size, size + 1))
    ]
    for setting in known:
        variable = f"{prefix}{setting.upper()}"
        for other in others:
            if nearly(other, variable):
                raise _slip(other, variable)


def _slip(name: str, setting: str) -> SettingError:
    return SettingError(
        f"There is no setting {name}. If it is {setting}, mend its name; if not, remove it."
    )


def nearly(one: str, other: str) -> bool:
    """Whether one slip makes one of the other: a letter more, less or wrong, or two swapped."""
    same = next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), None)
    if same is None:
        return abs(len(one) - len(other)) <= 1
    a, b = one[same:], other[same:]
    return a[1:] in {b, b[1:]} or a == b[1:] or (a[:2] == b[1::-1] and a[2:] == b[2:])
