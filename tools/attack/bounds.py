"""Figures and what they may be at most."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Findings:
    """What was measured, printed as it comes.

    Attributes:
        missed: The figures beyond their bounds.
    """

    missed: list[str] = field(default_factory=list)

    def measured(self, what: str, value: float, unit: str, most: float) -> None:
        """Print a figure beside its bound."""
        self._note(what, f"{value:.1f} {unit}, at most {most:g}", is_held=value <= most)

    def held(self, what: str, *, is_held: bool, figure: str = "") -> None:
        """Print whether a promise was held."""
        self._note(what, figure, is_held=is_held)

    def _note(self, what: str, figure: str, *, is_held: bool) -> None:
        print(f"{'held' if is_held else 'MISSED':<8}{what:<72}{figure}", flush=True)
        if not is_held:
            self.missed.append(what)
