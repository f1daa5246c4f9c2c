"""Commands as a person types them here: messages name them in the form that was used.

Meltano starts a program by a path that nobody types, and tells it in the environment which plugin
it is: what to type then is `meltano invoke PLUGIN:COMMAND`. Any other program lies beside the one
that was called, and is named by the path that was typed for that.
"""

import os
import re
import shlex
import shutil
import sys
from pathlib import Path

PLUGINS = {
    "tap-bigcommerce-orders": ("EXTRACTOR", "tap-bigcommerce-orders"),
    "target-freshbooks": ("LOADER", "target-freshbooks"),
    "target-freshbooks-ctl": ("LOADER", "target-freshbooks"),
    "connector-credentials": ("UTILITY", "credentials"),
    "webhooks": ("UTILITY", "webhooks"),
}
"""Each program's kind of plugin, as Meltano's variables have it, and its name in meltano.yml."""

CTL = "target-freshbooks-ctl"


def ctl(name: str, *arguments: str) -> str:
    """A command of `target-freshbooks-ctl`."""
    return _command(CTL, name, *arguments)


def credentials(name: str, *arguments: str, url: str = "") -> str:
    """A command of `connector-credentials`.

    Args:
        name: The command.
        arguments: Its own.
        url: Where the credentials are, as messages show it: Meltano knows, and it alone.
    """
    where = ["--url", shlex.quote(url)] if url and not _by_meltano() else []
    return _command("connector-credentials", *where, name, *arguments)


def webhooks(name: str, *arguments: str) -> str:
    """A command of `webhooks`."""
    return _command("webhooks", name, *arguments)


def meltano(*words: str) -> str:
    """A command of Meltano, in the environment that this program runs in."""
    own = Path(os.environ.get("MELTANO_PROJECT_ROOT", "")) / ".venv" / "bin" / "meltano"
    if not _by_meltano():
        return " ".join([_beside("meltano"), *words])
    typed = "meltano"
    if own.exists():
        typed = shlex.quote(str(own.relative_to(own.parents[2]) if _at_root() else own))
    return " ".join([typed, *_environment(), *words])


def run_of_both() -> str:
    """`meltano run` of tap and target: unlike a job's, settings before it may be of one run."""
    return meltano("run", _plugin("tap-bigcommerce-orders"), _plugin("target-freshbooks"))


def dry_run() -> str:
    """The run that shows what would be written."""
    return f"TARGET_FRESHBOOKS_DRY_RUN=true {run_of_both()}"


def as_typed(text: str) -> str:
    """A text of the ledger, whose commands are in no form: it is kept longer than any is true."""
    text = text.replace("meltano run tap-bigcommerce-orders target-freshbooks", run_of_both())
    return re.sub(rf"{CTL} ([a-z-]+)", lambda match: ctl(match[1]), text)


def _command(program: str, *words: str) -> str:
    if _by_meltano():
        name, *arguments = words
        return meltano("invoke", f"{_plugin(program)}:{name}", *arguments)
    return " ".join([_beside(program), *words, *_config(program)])


def _by_meltano() -> bool:
    """Whether Meltano has started this program, or what has started it."""
    return any(f"MELTANO_{kind}_NAME" in os.environ for kind, _ in PLUGINS.values())


def _plugin(program: str) -> str:
    """The plugin's name; an inherited one's, where that or its other half is running.

    A store of its own has a tap and a target with the same ending, such as `--outlet`.
    """
    kind, plugin = PLUGINS[program]
    running = os.environ.get(f"MELTANO_{kind}_NAME", "")
    if running and (kind != "UTILITY" or running.startswith(plugin)):
        return running
    for other in ("EXTRACTOR", "LOADER"):
        _, _, ending = os.environ.get(f"MELTANO_{other}_NAME", "").partition("--")
        if ending and re.search(rf"name: {re.escape(f'{plugin}--{ending}')}(?![\w-])", _project()):
            return f"{plugin}--{ending}"
    return plugin


def _environment() -> list[str]:
    """How the environment is named to Meltano; not at all if it is the project's default."""
    name = os.environ.get("MELTANO_ENVIRONMENT", "")
    default = re.search(r"(?m)^default_environment:\s*(\S+)", _project())
    if not name:
        return ["--no-environment"] if default else []
    return [] if default and name == default[1] else [f"--environment={name}"]


def _project() -> str:
    """The text of meltano.yml; empty where there is none."""
    file = Path(os.environ.get("MELTANO_PROJECT_ROOT", "")) / "meltano.yml"
    return file.read_text(encoding="utf-8") if file.exists() else ""


def _at_root() -> bool:
    return Path.cwd() == Path(os.environ.get("MELTANO_PROJECT_ROOT", "")).resolve()


def _beside(program: str) -> str:
    """A program that lies beside the called one; by its name alone if that is enough."""
    called = sys.argv[0]
    folder, name = os.path.split(called)
    if name not in PLUGINS or not folder or shutil.which(name) == called:
        return program
    return shlex.quote(f"{folder}/{program}")  # a Path would lose the dot of ./


def _config(program: str) -> list[str]:
    """The files of settings that the called program was given, if the other reads the same."""
    if program != CTL or Path(sys.argv[0]).name not in {CTL, "target-freshbooks"}:
        return []
    given = re.findall(r"--config(?:=|\0)([^\0]+)", "\0".join(sys.argv))
    return [word for file in given if file != "ENV" for word in ("--config", shlex.quote(file))]
