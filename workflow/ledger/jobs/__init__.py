"""Jobs and workflows, the plans made of them, their keys, and manifests of what was made."""
