"""How fast the workflow is: beside a plain script, beside other libraries, beside the machine."""
