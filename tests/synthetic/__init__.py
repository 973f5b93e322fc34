"""New price histories from old: bootstrap, fitted processes, shocks."""
