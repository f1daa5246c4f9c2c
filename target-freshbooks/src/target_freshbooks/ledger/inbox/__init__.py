"""What the shop said: records, which of two versions counts, what is looked at again."""
