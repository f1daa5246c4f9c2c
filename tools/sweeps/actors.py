"""Others are at work in shop and books at random moments: nothing of theirs is touched.

Lets a second store, another account, a second ledger, a payer, a hostile shopper and a bookkeeper
act between and amid the connector's requests, kills some of its runs, lets all of them settle, and
looks whose records were changed, what was doubled, left or lost, and how many writes an attempt
took. `--trial SEED/NUMBER` repeats one and tells what happened in it.
"""

from __future__ import annotations

import json
import os
import random
import re
import signal
import traceback
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from connector_sandbox import constants

from sweeps import acts, verdict
from sweeps.acts import Scene
from sweeps.runner import KILLED, beside, say, stage
from sweeps.verdict import OUTLET
from sweeps.whose import Most

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from sweeps.runner import Stage

TRIALS = 320
MOST_RUNS = 6
OFTEN, SELDOM, HARDLY = 0.75, 0.3, 0.1
"""How likely it is that somebody acts, or that a run is killed."""

ACTORS = (
    "second store",
    "second store without prefix",
    "another account",
    "second ledger",
    "payer",
    "shopper",
    "bookkeeper",
)


@dataclass(slots=True)
class Trial:
    """One trial under way.

    Attributes:
        on: Where the first store's connector runs.
        other: Where another one runs beside it.
        scene: The shop and the books.
        actors: Who else is at work.
        wrong: What was wrong during it.
        has_run: Which connectors have run besides the first: `outlet`, `other`.
    """

    on: Stage
    other: Stage
    scene: Scene
    actors: frozenset[str]
    wrong: list[str] = field(default_factory=list)
    has_run: set[str] = field(default_factory=set)

    @property
    def rng(self) -> random.Random:
        """The trial's chance."""
        return self.scene.rng

    # -- the connectors

    def read(self, on: Stage, *, anew: bool = False) -> Path:
        """Let the tap tell what is new to that ledger, or everything."""
        messages = on.home / "messages.jsonl"
        code = on.read(messages, anew=anew)
        if code != 0:
            raise RuntimeError(f"the tap ended with {code}")
        return messages

    def config(self, name: str, **settings: Any) -> Path:  # noqa: ANN401 - settings are JSON
        """Another configuration on the same ledger."""
        trial = self.on.home / "trial"
        config = json.loads((trial / "target.json").read_text(encoding="utf-8"))
        file = trial / f"{name}.json"
        file.write_text(json.dumps({**config, **settings}), encoding="utf-8")
        return file

    def outlet(self) -> Path:
        """The second store's configuration."""
        prefix = "B-" if "second store" in self.actors else ""
        return self.config("outlet", source="outlet", invoice_number_prefix=prefix)

    def outlet_messages(self) -> Path:
        """What the second store has to tell: the same orders, as they are now."""
        told = self.on.home / "outlet.jsonl"
        whole = self.read(self.on, anew=True).read_text(encoding="utf-8")
        said = re.sub(r'"store_hash": ?"[^"]*"', f'"store_hash": "{OUTLET}"', whole)
        told.write_text(said, encoding="utf-8")
        return told

    def run_outlet(self) -> bool:
        """Run the second store's connector; whether it came to its end."""
        self.has_run.add("outlet")
        self._note("the second store runs")
        self.on.start(0, messages=self.outlet_messages(), config=self.outlet())
        code = self.on.ended()
        self._accept("the second store's run", code)
        return code == 0

    def run_other(self) -> bool:
        """Run the second ledger; whether it came to its end."""
        self.has_run.add("other")
        self._note("the second ledger runs")
        code = self.other.feed(self.read(self.other))
        self._accept("the second ledger's run", code)
        return code == 0

    def try_account(self) -> None:
        """Run with another account: it stops before it writes."""
        if not self.on.ledger_rows("SELECT 1 FROM ledger_account"):
            return  # not pinned yet: the first write was not come to
        config = self.config("account", account_id=constants.FRESHBOOKS_SECOND_ACCOUNT_ID)
        before = len(self.on.writes())
        self._note("a run with another account")
        messages = self.read(self.on)
        self.on.start(0, messages=messages, config=config)
        code = self.on.ended()
        has_orders = '"stream":"orders","record"' in messages.read_text(encoding="utf-8")
        if code != has_orders or len(self.on.writes()) != before:
            self.wrong.append(f"with another account a run ended with {code}")

    # -- a run, and who comes between

    def disturbed_run(self) -> None:
        """Run the first store's connector, while others act at one of its requests."""
        rng, sandbox = self.rng, self.on.sandbox
        messages = self.read(self.on)
        if "payer" in self.actors and rng.random() < OFTEN:
            sandbox.tell("POST", "faults", acts.payment_first(self.scene))
        amid = [act for act in self.amid() if rng.random() < OFTEN]
        kill = rng.random() < SELDOM
        if rng.random() < HARDLY:
            self.on.start(0, messages=messages, die_after_answer=rng.randrange(8))
            code = self.on.ended()
        elif amid or kill:
            hold = {
                "side": "freshbooks",
                "path": "^/accounting/",
                "method": rng.choice(("POST|PUT", "GET|POST|PUT")),
                "kind": "hold",
                "when": rng.choice(("before", "after")),
                "skip": rng.randrange(10),
                "times": 1,
            }
            rule = sandbox.tell("POST", "faults", hold)
            pid = self.on.start(0, messages=messages)
            try:
                if self.on.until_held(pid):
                    where = sandbox.ask("faults")["held"][0]
                    self._note(f"held {hold['when']} {where['method']} {where['path']}")
                    for act in amid:
                        act()
                    if kill:
                        self._note("killed")
                        os.kill(pid, signal.SIGKILL)
            finally:
                sandbox.tell("DELETE", f"faults/{rule['id']}")
                code = self.on.ended()
        else:
            self.on.start(0, messages=messages)
            code = self.on.ended()
        self._accept("a run", code)
        sandbox.tell("DELETE", "faults")

    def amid(self) -> Iterator[Any]:
        """What may be done while a request of the connector is under way."""
        if "second ledger" in self.actors:
            yield self.run_other
        yield from self.by_people()

    def between(self) -> None:
        """What is done between two runs."""
        rng = self.rng
        for _ in range(rng.choice((1, 1, 2))):
            acts.trade(self.scene)
        for act in self.by_people():
            if rng.random() < OFTEN:
                act()
        if self.actors & {"second store", "second store without prefix"} and rng.random() < OFTEN:
            self.run_outlet()
        if "another account" in self.actors:
            self.try_account()
        if "second ledger" in self.actors and rng.random() < SELDOM:
            self.run_other()

    def by_people(self) -> Iterator[Any]:
        """What people may do at any moment."""
        if "bookkeeper" in self.actors:
            yield lambda: acts.bookkeeping(self.scene)
        if "payer" in self.actors:
            yield lambda: acts.pay(self.scene)
        if "shopper" in self.actors:
            yield lambda: acts.intrude(self.scene)

    def _accept(self, what: str, code: int) -> None:
        """A run may be killed, or stop for another writer at work; it never fails otherwise."""
        self._note(f"{what} ended with {code}")
        if code in {0, KILLED}:
            return
        log = self.on if "ledger" not in what else self.other
        said = [line for line in log.log().splitlines() if " ERROR " in line][-1:]
        if code != 1 or "Another writer" not in str(said):
            self.wrong.append(f"{what} ended with {code}: {said}")

    def _note(self, words: str) -> None:
        self.scene.told.append(words)

    # -- the end

    def settle(self) -> None:
        """Let everybody come to an end; the second ledger is stopped then."""
        self.on.sandbox.tell("DELETE", "faults")
        for name, run in (("other", self.run_other), ("outlet", self.run_outlet)):
            if name in self.has_run and not any(run() for _ in range(MOST_RUNS)):
                self.wrong.append(f"{name} does not come to an end")
        for _ in range(MOST_RUNS):
            before = len(self.on.writes())
            code = self.on.feed(self.read(self.on))
            self._accept("a last run", code)
            if code == 0 and len(self.on.writes()) == before:
                return
        self.wrong.append(f"still writing after {MOST_RUNS} runs")


def _share_login(on: Stage, other: Stage) -> None:
    """A user has one living login; the second ledger's run uses the same one."""
    config = json.loads((on.home / "trial" / "target.json").read_text(encoding="utf-8"))
    shared = ("refresh_token", "credentials_url", "encryption_key")
    other.configure(**{name: config[name] for name in shared})


def trial(on: Stage, other: Stage, seed: str, *, loud: bool = False) -> tuple[list[str], Most]:
    """One trial: what was wrong, and the attempt with the most writes."""
    rng = random.Random(seed)  # noqa: S311 - a repeatable choice
    on.switches = acts.switches(rng)
    other.prepare()
    on.begin()
    _share_login(on, other)
    scene = Scene(on.sandbox, rng)
    actors = frozenset(rng.sample(ACTORS, rng.choice((1, 2, 2, 3))))
    if "second store" in actors:
        actors -= {"second store without prefix"}
    at = Trial(on, other, scene, actors)
    most = Most()
    try:
        acts.open_books(scene)
        for _ in range(rng.choice((2, 3))):
            scene.place()
        if rng.random() < SELDOM:
            scene.place(customer_id=scene.register(acts.JANE), billing=acts.JANE)
        for number in range(rng.choice((2, 3))):
            if number:
                at.between()
            at.disturbed_run()
        at.settle()
        most = verdict.judge(at)
    except Exception:  # noqa: BLE001 - told with its trial; the others go on
        at.wrong.append(traceback.format_exc())
    if loud:
        for line in [", ".join(sorted(actors)), str(on.switches), *scene.told]:
            say(f"  {line}")
        say(f"  {verdict.standings(at)}")
    return [f"trial {seed} ({', '.join(sorted(actors))}): {entry}" for entry in at.wrong], most


def sweep(home: Path, names: Sequence[str], *, loud: bool = False) -> list[str]:
    """Trials by name, `SEED/NUMBER`; prints the figures, and loudly what happened in each."""
    wrong: list[str] = []
    most = Most()
    tally: Counter[str] = Counter()
    with stage(home, [], settle_seconds=0) as on, beside(on, home / "other") as other:
        for name in names:
            found, here = trial(on, other, name, loud=loud)
            for entry in found:
                say(entry)
            wrong += found
            tally["bad"] += bool(found)
            if here.bound and here.writes - here.bound >= most.writes - (most.bound or 99):
                most = here
            tally.update(state for (state,) in on.ledger_rows("SELECT state FROM ledger_orders"))
    states = ", ".join(f"{n} {state}" for state, n in sorted(tally.items()) if state != "bad")
    say(
        f"others at work: {len(names)} trials from {names[0]} on, orders: {states};"
        f" {tally['bad']} trials with something wrong; most writes of an attempt {most}"
    )
    return wrong
