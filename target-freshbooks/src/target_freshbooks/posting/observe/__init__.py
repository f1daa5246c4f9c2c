"""What FreshBooks holds: read by request for one order, or from lists for all."""
