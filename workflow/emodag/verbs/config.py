"""`emodag config`: the default configuration, its schema, its reference."""

import argparse


def add(verbs) -> None:
    """Add the verb to the command line."""
    config = verbs.add_parser(
        "config",
        help="print the default configuration, commented, its JSON schema or its reference",
        description="Print what config.yaml, workflow/schemas/config.schema.json and "
        "docs/configuration.md must hold.",
    )
    printed = config.add_mutually_exclusive_group()
    printed.add_argument("--schema", action="store_true", help="print the JSON schema instead")
    printed.add_argument("--reference", action="store_true", help="print the reference instead")
    config.set_defaults(verb=_config)


def _config(options: argparse.Namespace) -> int:
    from emodag.config.reference import reference
    from emodag.config.written import default_yaml, json_schema

    made = json_schema if options.schema else reference if options.reference else default_yaml
    print(made(), end="")
    return 0
