"""EFFECTS: what touches the world: files, the store, mail servers, PDF. Load, call one pure function, save."""
