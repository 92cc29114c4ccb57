"""The cases that ocisign's own rule adds, one module for each kind."""
