"""What sections of the report call things."""


def stage_name(stage: str) -> str:
    """What people call a stage, such as `generation 2` for `gen2`."""
    return stage.replace("gen", "generation ").replace("stage", "stage ")


def capital(text: str) -> str:
    """The same with a capital letter to begin with."""
    return text[:1].upper() + text[1:]
