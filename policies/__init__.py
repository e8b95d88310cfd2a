"""DECISIONS: pure rules in Python beside the rules as data in YAML. No Prefect, database, files or clock."""
