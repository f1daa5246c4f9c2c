"""What many stores need, worked out from measured figures: docs/scale.md."""
