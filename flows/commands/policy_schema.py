"""`relance policy schema`: the JSON Schema of a YAML file, for editors."""


def schema(name: str | None = None, /) -> None:
    """Print the JSON Schema of a kind of YAML file; without a name, list the kinds there are.

    Editors check and explain a file that begins with `# yaml-language-server: $schema=FILE`.

    Args:
        name: such as policy, source, statute or creditor.
    """
    from tasks.editor_schemas import list_schemas, make_schema

    if name is None:
        print("\n".join(list_schemas()))
    else:
        print(make_schema(name), end="")
