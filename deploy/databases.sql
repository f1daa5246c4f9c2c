-- Meltano's bookmark, beside the ledger; Meltano makes tables of its own there.
CREATE DATABASE meltano;
